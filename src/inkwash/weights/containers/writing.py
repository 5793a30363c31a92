"""Sources onto the disk, one tensor in memory at a time."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import prod
from pathlib import Path
from tempfile import mkdtemp
from typing import BinaryIO, Literal

import torch
from torch import Tensor

from inkwash.errors import OutputError, WeightsError, shown
from inkwash.files import atomic, told
from inkwash.weights.containers.quants import BLOCKS
from inkwash.weights.containers.source import Source
from inkwash.weights.files import DTYPES
from inkwash.weights.header import BYTES

Precision = Literal["keep", "float32", "float16", "bfloat16"]
SHORT: Mapping[Precision, str] = {"float32": "F32", "float16": "F16", "bfloat16": "BF16"}
FLOATS = ("F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2")


def write_source(
    path: Path, source: Source, metadata: Mapping[str, str], precision: Precision = "keep", *, overwrite: bool = False
) -> None:
    """A safetensors file that is whole or not there; the same tensors always give the same bytes.

    Quantised tensors are unpacked. Raises OutputError if `path` exists and `overwrite` is False, or if it cannot be
    written; WeightsError for numbers that half precision cannot hold.
    """
    kinds = {name: written_as(slot.dtype, precision) for name, slot in source.slots.items()}
    with atomic(path, overwrite=overwrite) as part, part.open("wb") as file:
        order = sorted(kinds, key=lambda name: (-BYTES[kinds[name]], name))  # the widest first: aligned
        _head(file, source, kinds, order, metadata)
        for name in order:
            tensor = recast_to(source[name], DTYPES[kinds[name]], name)
            if tuple(tensor.shape) != source.shape(name):
                raise WeightsError(f"{source.what}: {shown(name)} is not of the shape it promised")
            file.write(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data)


def written_as(dtype: str, precision: Precision) -> str:
    """The type that numbers of type `dtype` are written in: other than floats stay what they are."""
    if precision != "keep" and (dtype in FLOATS or dtype in BLOCKS):
        return SHORT[precision]
    return "F32" if dtype in BLOCKS else dtype


def recast_to(tensor: Tensor, dtype: torch.dtype, name: str) -> Tensor:
    """A tensor in another type.  Raises WeightsError if its finite numbers would become infinite."""
    if tensor.dtype == dtype:
        return tensor
    cast = tensor.to(dtype)
    if dtype == torch.float16 and not bool(torch.isfinite(cast).all()) and bool(torch.isfinite(tensor.float()).all()):
        raise WeightsError(f"{shown(name)} holds numbers that half precision cannot; bfloat16 can")
    return cast


def _head(
    file: BinaryIO, source: Source, kinds: Mapping[str, str], order: list[str], metadata: Mapping[str, str]
) -> None:
    table: dict[str, object] = {"__metadata__": dict(sorted(metadata.items()))} if metadata else {}
    place = 0
    for name in order:
        shape = source.shape(name)
        end = place + prod(shape) * BYTES[kinds[name]]
        table[name] = {"dtype": kinds[name], "shape": list(shape), "data_offsets": [place, end]}
        place = end
    text = json.dumps(table, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    file.write(len(text).to_bytes(8, "little") + text)


@contextmanager
def whole_folder(folder: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield an empty sibling to fill; it becomes `folder` only if the block succeeds.

    Raises OutputError if there is something already and `overwrite` is False, or if it cannot be written.
    """
    if folder.exists() and not (overwrite and folder.is_dir()):
        raise OutputError(f"{folder} exists already; choose another name or allow overwriting")
    with told(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = Path(mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            yield part
            part.chmod(0o755)
            _exchanged(part, folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _exchanged(part: Path, folder: Path) -> None:
    if folder.exists():
        old = Path(mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        folder.replace(old / folder.name)
        part.replace(folder)
        shutil.rmtree(old, ignore_errors=True)
    else:
        part.rename(folder)
