"""Tensors that are listed now and read when they are wanted."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import prod
from mmap import ACCESS_COPY, mmap
from pathlib import Path

import torch
from torch import Tensor

from inkwash.errors import WeightsError, shown
from inkwash.weights.files import DTYPES
from inkwash.weights.header import BYTES, header

SCALE, SCALED = ".scale_weight", "scaled_fp8"
"""What stands beside a weight of 8 bits that was divided before it was rounded, and what marks such a file."""


@dataclass(frozen=True)
class Slot:
    """One tensor, not yet read: the type of its numbers (as safetensors or GGUF write it) and its shape."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def numel(self) -> int:
        """How many numbers."""
        return prod(self.shape)


@dataclass(frozen=True)
class Source:
    """The tensors of a file, of a folder, or of some part of one; nothing but names and shapes is in memory."""

    what: str
    """Its name in errors."""
    slots: Mapping[str, Slot]
    fetch: Callable[[str], Tensor]
    metadata: Mapping[str, str] = field(default_factory=dict)
    container: str = "safetensors"
    files: tuple[Path, ...] = ()
    maps: tuple[mmap, ...] = ()
    """Mapped files that tensors may lie in."""
    rests: bool = False
    """Networks made of it keep its types (`nn.resting`), and are not widened to float32."""

    def __getitem__(self, name: str) -> Tensor:
        """One tensor.  Raises WeightsError if there is none of that name."""
        if name not in self.slots:
            raise WeightsError(f"{self.what} holds no tensor {shown(name)}")
        return self.fetch(name)

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(self.slots)

    def __len__(self) -> int:
        """How many tensors."""
        return len(self.slots)

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor; () if there is none of that name."""
        return self.slots[name].shape if name in self.slots else ()

    def under(self, prefix: str) -> "Source":
        """The tensors whose names begin so, without that beginning."""
        names = {name.removeprefix(prefix): name for name in self.slots if name.startswith(prefix)}
        return self.renamed(names)

    def renamed(self, names: Mapping[str, str]) -> "Source":
        """The tensors that `names` lists, by new name -> old name."""
        slots = {new: self.slots[old] for new, old in names.items()}
        return replace(self, slots=slots, fetch=lambda new: self.fetch(names[new]))

    def tensors(self) -> dict[str, Tensor]:
        """All of them, read."""
        return {name: self.fetch(name) for name in self.slots}


def in_memory(tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None, what: str = "here") -> Source:
    """Tensors that are there already, as a source."""
    names = {dtype: name for name, dtype in DTYPES.items()}
    slots = {name: Slot(names[tensor.dtype], tuple(tensor.shape)) for name, tensor in tensors.items()}
    return Source(what, slots, lambda name: tensors[name], metadata or {})


def joined(what: str, sources: list[Source]) -> Source:
    """Several sources as one.  Raises WeightsError if two of them hold a tensor of the same name."""
    homes: dict[str, Source] = {}
    for source in sources:
        for name in source.slots:
            if name in homes:
                raise WeightsError(f"{what}: {homes[name].what} and {source.what} both hold {shown(name)}")
            homes[name] = source
    slots = {name: home.slots[name] for name, home in homes.items()}
    notes = {key: value for source in sources for key, value in source.metadata.items()}
    files = tuple(path for source in sources for path in source.files)
    maps = tuple(data for source in sources for data in source.maps)
    return Source(what, slots, lambda name: homes[name].fetch(name), notes, sources[0].container, files, maps)


def mapped(path: Path) -> mmap:
    """The bytes of a file, read by the system as they are touched; changes stay in memory.

    Raises WeightsError if it cannot be read or is empty. Whoever cuts the file off meanwhile ends the process.
    """
    try:
        with path.open("rb") as file:
            return mmap(file.fileno(), 0, access=ACCESS_COPY)
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror}") from None
    except ValueError:
        raise WeightsError(f"{path}: the file is empty") from None


def viewed(data: mmap, begin: int, slot: Slot) -> Tensor:
    """Numbers in mapped memory as a tensor, without a copy unless they lie askew."""
    dtype, size = DTYPES[slot.dtype], BYTES[slot.dtype]
    if not slot.numel:
        return torch.empty(slot.shape, dtype=dtype)
    if begin % size:  # old files were not padded
        whole = bytearray(data[begin : begin + slot.numel * size])
        return torch.frombuffer(whole, dtype=dtype).reshape(slot.shape)
    return torch.frombuffer(data, dtype=dtype, count=slot.numel, offset=begin).reshape(slot.shape)


def open_safetensors(path: Path) -> Source:
    """A safetensors file, mapped.  Raises WeightsError in one line if it is missing, broken or foreign."""
    data = mapped(path)
    try:
        head = header(data)
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}") from None
    slots = {name: Slot(entry.dtype, entry.shape) for name, entry in head.entries.items()}
    places = {name: head.start + entry.begin for name, entry in head.entries.items()}
    fetch = lambda name: viewed(data, places[name], slots[name])
    return Source(str(path), slots, fetch, head.metadata, files=(path,), maps=(data,))


def unscaled(source: Source) -> Source:
    """Weights of 8 bits with a scale beside them, multiplied by it on reading, in float32; others stay as they are."""
    scaled = {name.removesuffix(SCALE) + ".weight": name for name in source.slots if name.endswith(SCALE)}
    dropped = {*scaled.values(), SCALED, *(name for name in source.slots if name.endswith(".scale_input"))}

    def fetch(name: str) -> Tensor:
        tensor = source[name]
        return tensor.float() * source[scaled[name]].float() if name in scaled else tensor

    slots = {
        name: Slot("F32", slot.shape) if name in scaled else slot
        for name, slot in source.slots.items()
        if name not in dropped
    }
    return replace(source, slots=slots, fetch=fetch) if dropped & source.slots.keys() else source
