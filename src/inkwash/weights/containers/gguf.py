"""GGUF files, read by ourselves: every count is bounded before it is believed, every tensor lies inside the file.

Magic, version, counts; notes as typed values; one record per tensor (name, dimensions with the fastest first, type,
place); then, on a multiple of the alignment, the tensors. Quantised ones are unpacked to float32 as they are fetched.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from mmap import mmap
from pathlib import Path
from struct import Struct
from typing import TypeVar

import numpy as np
from torch import Tensor

from inkwash.errors import WeightsError, shown
from inkwash.weights.containers.quants import BLOCKS, dequantised
from inkwash.weights.containers.source import Slot, Source, mapped, viewed
from inkwash.weights.header import BYTES, LARGEST_HEADER, MOST_TENSORS

Value = TypeVar("Value")
MAGIC = b"GGUF"
VERSIONS = (2, 3)
TYPES: Mapping[int, str] = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 10: "Q2_K", 11: "Q3_K", 12: "Q4_K",
    13: "Q5_K", 14: "Q6_K", 20: "IQ4_NL", 23: "IQ4_XS", 24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64",
    30: "BF16",
}  # fmt: skip
SCALARS: Mapping[int, Struct] = {
    number: Struct("<" + letter)
    for number, letter in zip((0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12), "BbHhIif?Qqd", strict=True)
}
STRING, ARRAY = 8, 9
COUNT, WORD = Struct("<Q"), Struct("<I")
MOST_NOTES, MOST_VALUES, MOST_AXES, LARGEST_ALIGNMENT, LONGEST_NAME = 4096, 2**20, 4, 2**20, 1024
ORIGINAL = "comfy.gguf.orig_shape."
"""Notes that give the shape a tensor had before it was flattened to fill whole blocks."""


@dataclass
class Cursor:
    """A place in the head of a file that moves forward; what would leave the file is refused."""

    data: mmap
    at: int = 0

    def take(self, size: int) -> bytes:
        """The next bytes."""
        if size > LARGEST_HEADER or self.at + size > min(len(self.data), 4 * LARGEST_HEADER):
            raise WeightsError("it is cut off, or its head lies")
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, kind: Struct) -> int:
        """One number."""
        (value,) = kind.unpack(self.take(kind.size))
        return value  # type: ignore[no-any-return]

    def text(self) -> str:
        """A counted text."""
        try:
            return self.take(self.number(COUNT)).decode("utf-8")
        except UnicodeDecodeError:
            raise WeightsError("a text in its head is not UTF-8") from None

    def value(self) -> object:
        """A note: one value with its type before it."""
        kind = self.number(WORD)
        return self.row() if kind == ARRAY else self.one(kind)

    def one(self, kind: int) -> object:
        """A value of a known type."""
        if kind == STRING:
            return self.text()
        if kind not in SCALARS:
            raise WeightsError(f"a note in its head is of unknown type {kind}")
        (value,) = SCALARS[kind].unpack(self.take(SCALARS[kind].size))
        return value

    def row(self) -> tuple[object, ...]:
        """A list of values of one type, never a list of lists."""
        kind, count = self.number(WORD), self.number(COUNT)
        if kind == ARRAY or count > MOST_VALUES:
            raise WeightsError(f"a list in its head claims {count} values; that cannot be meant")
        return tuple(self.one(kind) for _ in range(count))


@dataclass(frozen=True)
class Place:
    """One tensor: its type, its shape with the slowest axis first, and where its bytes lie from the start of data."""

    dtype: str
    shape: tuple[int, ...]
    begin: int

    @property
    def size(self) -> int:
        """Bytes."""
        if self.dtype in BYTES:
            return prod(self.shape) * BYTES[self.dtype]
        block = BLOCKS[self.dtype]
        return prod(self.shape) // block.numbers * block.size


def open_gguf(path: Path) -> Source:
    """A GGUF file, mapped; notes that are texts or numbers become metadata.  Raises WeightsError in one line."""
    data = mapped(path)
    try:
        notes, places, start = _head(data)
        shapes = {name: _shape(name, place, notes) for name, place in places.items()}
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}") from None
    slots = {name: Slot(place.dtype, shapes[name]) for name, place in places.items()}

    def fetch(name: str) -> Tensor:
        place, slot = places[name], slots[name]
        if place.dtype in BYTES:
            return viewed(data, start + place.begin, slot)
        packed = np.frombuffer(data, np.uint8, place.size, start + place.begin)
        return dequantised(place.dtype, packed, slot.shape)

    told = {key: str(value) for key, value in notes.items() if not isinstance(value, tuple)}
    return Source(str(path), slots, fetch, told, "GGUF", (path,), (data,))


def _head(data: mmap) -> tuple[dict[str, object], dict[str, Place], int]:
    """Notes, tensors by name, and where the bytes of the tensors begin."""
    cursor = Cursor(data)
    if cursor.take(4) != MAGIC:
        raise WeightsError("this is not a GGUF file")
    if (version := cursor.number(WORD)) not in VERSIONS:
        raise WeightsError(f"it is GGUF of version {version}; 2 and 3 are read, with the low bytes first")
    tensors, count = cursor.number(COUNT), cursor.number(COUNT)
    if tensors > MOST_TENSORS or count > MOST_NOTES:
        raise WeightsError(f"it claims {tensors} tensors and {count} notes; that cannot be meant")
    notes = _once("note", [(cursor.text(), cursor.value()) for _ in range(count)])
    places = _once("tensor", [(_name(cursor), _place(cursor)) for _ in range(tensors)])
    alignment = notes.get("general.alignment", 32)
    if type(alignment) is not int or not 0 < alignment <= LARGEST_ALIGNMENT or alignment & (alignment - 1):
        raise WeightsError(f"its alignment is {shown(alignment)}, but must be a power of two")
    start = -(-cursor.at // alignment) * alignment
    _apart(places, len(data) - start, alignment)
    return notes, places, start


def _name(cursor: Cursor) -> str:
    name = cursor.text()
    if not name or len(name) > LONGEST_NAME:
        raise WeightsError(f"a tensor has a name of {len(name)} letters")
    return name


def _place(cursor: Cursor) -> Place:
    axes = cursor.number(WORD)
    if axes > MOST_AXES:
        raise WeightsError(f"a tensor claims {axes} axes; more than {MOST_AXES} cannot be meant")
    shape = tuple(reversed([cursor.number(COUNT) for _ in range(axes)]))
    kind, begin = cursor.number(WORD), cursor.number(COUNT)
    if kind not in TYPES:
        raise WeightsError(f"a tensor is of type {kind}, which is not read")
    dtype = TYPES[kind]
    if max((begin, *shape)) >= 2**48:
        raise WeightsError("a tensor claims a size that cannot be meant")
    if dtype in BLOCKS and (not shape or shape[-1] % BLOCKS[dtype].numbers):
        raise WeightsError(f"a tensor of shape {shape} cannot be of type {dtype}: its rows are no whole blocks")
    return Place(dtype, shape, begin)


def _once(what: str, pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise WeightsError(f"its head names a {what} twice")
    return found


def _apart(places: Mapping[str, Place], size: int, alignment: int) -> None:
    """Every tensor aligned, inside the file, and after the one before it."""
    reached = 0
    for name, place in sorted(places.items(), key=lambda item: (item[1].begin, item[1].size)):
        if place.begin % alignment or place.begin < reached:
            raise WeightsError(f"tensor {shown(name)} overlaps another or is not aligned")
        reached = place.begin + place.size
        if reached > size:
            raise WeightsError(f"it is cut off: tensor {shown(name)} ends at {reached} of {size} bytes")


def _shape(name: str, place: Place, notes: Mapping[str, object]) -> tuple[int, ...]:
    kept = notes.get(ORIGINAL + name)
    if kept is None:
        return place.shape
    shape = tuple(n for n in kept if type(n) is int and 0 < n < 2**31) if isinstance(kept, tuple) else ()
    if not isinstance(kept, tuple) or len(shape) != len(kept) or prod(shape) != prod(place.shape) or not shape:
        raise WeightsError(f"tensor {shown(name)} of shape {place.shape} cannot have been of shape {shown(kept)}")
    return shape
