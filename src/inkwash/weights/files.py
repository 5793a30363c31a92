"""Weights on disk: safetensors only, nothing that could run code, checked before it is read."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load
from torch import Tensor

from inkwash.errors import WeightsError
from inkwash.files import atomic
from inkwash.weights.header import header

NAMES: Mapping[torch.dtype, str] = {
    torch.bool: "BOOL", torch.uint8: "U8", torch.int8: "I8", torch.int16: "I16", torch.int32: "I32",
    torch.int64: "I64", torch.float16: "F16", torch.bfloat16: "BF16", torch.float32: "F32", torch.float64: "F64",
    torch.uint16: "U16", torch.uint32: "U32", torch.uint64: "U64",
    torch.float8_e4m3fn: "F8_E4M3", torch.float8_e5m2: "F8_E5M2",
}  # fmt: skip
DTYPES: Mapping[str, torch.dtype] = {name: dtype for dtype, name in NAMES.items()}


@dataclass(frozen=True)
class Checkpoint:
    """Tensors by name, and notes about them."""

    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str]


def read(path: Path) -> Checkpoint:
    """A whole safetensors file in memory.  Raises WeightsError in one line if it is missing, broken or foreign."""
    return parsed(contents(path), path)


def parsed(data: bytes, path: Path) -> Checkpoint:
    """What `read` does, from bytes; `path` only names them in errors."""
    try:
        head = header(data)
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}") from None
    return Checkpoint(load(data), head.metadata)


def write(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str], *, overwrite: bool = False) -> None:
    """Write a file that is whole or not there; the same tensors always give the same bytes.

    Raises OutputError if `path` exists and `overwrite` is False, or if it cannot be written.
    """
    with atomic(path, overwrite=overwrite) as part:
        part.write_bytes(packed(tensors, metadata))


def packed(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """The bytes of a safetensors file: tensors and notes sorted by name, the header padded to eights."""
    table: dict[str, object] = {"__metadata__": dict(sorted(metadata.items()))} if metadata else {}
    parts: list[bytes] = []
    place = 0
    for name in sorted(tensors, key=lambda name: (-tensors[name].element_size(), name)):  # the widest first: aligned
        tensor = tensors[name].detach().cpu().contiguous()
        parts.append(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
        end = place + len(parts[-1])
        table[name] = {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [place, end]}
        place = end
    text = json.dumps(table, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *parts])


def contents(path: Path) -> bytes:
    """All bytes of a file that belongs to a model.  Raises WeightsError if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror}") from None


def file_sha256(path: Path) -> str:
    """The name of a file's content, without all of it in memory.  Raises WeightsError if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror}") from None


def tensors_sha256(path: Path) -> str:
    """The name of a safetensors file's tensors without its notes, by which web UIs know a LoRA (autov3)."""
    try:
        with path.open("rb") as file:
            file.seek(8 + int.from_bytes(file.read(8), "little"))
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror}") from None


def sha256(data: bytes) -> str:
    """The name of a content."""
    return hashlib.sha256(data).hexdigest()
