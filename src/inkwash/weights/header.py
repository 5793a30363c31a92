"""The header of a safetensors file, read by ourselves before anything trusts it.

Eight bytes of length, a JSON object, then the bytes of the tensors, end to end. Duplicate names, gaps, overlaps,
counts and sizes that do not add up are refused; so is everything that is not such a file, by its real name.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from mmap import mmap

from inkwash.errors import WeightsError, shown

BYTES: Mapping[str, int] = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2,
    "I32": 4, "U32": 4, "F32": 4, "I64": 8, "U64": 8, "F64": 8,
}  # fmt: skip
"""Size of one number of every type we know."""
LARGEST_HEADER = 16 * 2**20
MOST_TENSORS = 20_000
MOST_AXES = 8
FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a zip archive or a pickled checkpoint; inkwash convert makes safetensors of it"),
    (b"\x80", "a pickled checkpoint; inkwash convert makes safetensors of it"),
    (b"version https://git-lfs", "a git-lfs pointer: the file itself was never downloaded"),
    (b"<", "a web page: the download went wrong"),
    (b"GGUF", "a GGUF file; inkwash convert makes safetensors of it"),
)


@dataclass(frozen=True)
class Entry:
    """One tensor of the file: its type, its shape, and where its bytes lie."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True)
class Header:
    """What a file promises: its tensors in the order of their bytes, and notes about it."""

    entries: Mapping[str, Entry]
    metadata: Mapping[str, str]
    start: int
    """Where the bytes of the tensors begin."""


def header(data: bytes | mmap) -> Header:
    """The checked header of a whole file, in memory or mapped.

    Raises WeightsError saying what is wrong, without the file's name.
    """
    if not len(data):
        raise WeightsError("the file is empty")
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > LARGEST_HEADER or data[8:9] != b"{":
        raise WeightsError(_foreign(data))
    if len(data) < 8 + length:
        raise WeightsError(f"it is cut off: {len(data)} bytes, but the header alone takes {8 + length}")
    table = _parsed(data[8 : 8 + length])
    metadata = _metadata(table.pop("__metadata__", {}))
    if len(table) > MOST_TENSORS:
        raise WeightsError(f"it claims {len(table)} tensors; more than {MOST_TENSORS} cannot be meant")
    entries = dict(sorted(((name, _entry(name, row)) for name, row in table.items()), key=_place))
    _contiguous(entries, len(data) - 8 - length)
    return Header(entries, metadata, 8 + length)


def _foreign(data: bytes | mmap) -> str:
    for mark, what in FOREIGN:
        if data[:256].lstrip().startswith(mark):
            return f"this is {what}"
    return "this is not a safetensors file"


def _parsed(text: bytes) -> dict[str, object]:
    try:
        table = json.loads(text.decode("utf-8"), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise WeightsError("its header is not JSON") from None
    if not isinstance(table, dict):
        raise WeightsError("its header is not an object")
    return table


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for n, (name, _) in enumerate(pairs) if name in dict(pairs[:n]))
        raise WeightsError(f"its header names {shown(twice)} twice")
    return found


def _metadata(table: object) -> dict[str, str]:
    if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
        raise WeightsError("its __metadata__ must map texts to texts")
    return table


def _entry(name: str, row: object) -> Entry:
    if not isinstance(row, dict) or row.keys() != {"dtype", "shape", "data_offsets"}:
        raise WeightsError(f"tensor {shown(name)} must have dtype, shape and data_offsets, and nothing else")
    dtype, shape, offsets = row["dtype"], _whole(name, row["shape"]), _whole(name, row["data_offsets"])
    if dtype not in BYTES:
        raise WeightsError(f"tensor {shown(name)} is of unknown type {shown(dtype)}")
    if len(shape) > MOST_AXES or len(offsets) != 2:
        raise WeightsError(f"tensor {shown(name)} has a shape or data_offsets of absurd length")
    entry = Entry(dtype, shape, *offsets)
    if entry.end - entry.begin != prod(shape) * BYTES[dtype]:
        held = entry.end - entry.begin
        raise WeightsError(f"tensor {shown(name)} of shape {shape} and type {dtype} cannot take {held} bytes")
    return entry


def _whole(name: str, numbers: object) -> tuple[int, ...]:
    if not isinstance(numbers, list) or not all(type(n) is int and 0 <= n < 2**48 for n in numbers):
        raise WeightsError(f"tensor {shown(name)} has a shape or data_offsets that are not whole numbers")
    return tuple(numbers)


def _place(item: tuple[str, Entry]) -> tuple[int, int, str]:
    name, entry = item
    return entry.begin, entry.end, name


def _contiguous(entries: Mapping[str, Entry], size: int) -> None:
    reached = 0
    for name, entry in entries.items():
        if entry.begin != reached:
            raise WeightsError(f"tensor {shown(name)} leaves a gap or overlaps another")
        reached = entry.end
    if reached != size:
        what = "it is cut off" if reached > size else "it has bytes that belong to no tensor"
        raise WeightsError(f"{what}: {size} bytes of tensors, but the header promises {reached}")
