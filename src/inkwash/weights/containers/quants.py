"""Numbers in blocks that share a scale: the quantised types of GGUF, back to float32.

Every block is a few bytes of scales (half precision) and of packed small integers q; a number is d*q, or d*q - m with a
minimum m. The K types hold 256 numbers in 8 or 16 groups whose scales are themselves small integers times one d.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
CURVE = np.array(
    [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113], dtype=np.float32
)  # the 16 levels of IQ4


@dataclass(frozen=True)
class Block:
    """How many numbers a block holds, in how many bytes."""

    numbers: int
    size: int


BLOCKS: Mapping[str, Block] = {
    "Q4_0": Block(32, 18), "Q4_1": Block(32, 20), "Q5_0": Block(32, 22), "Q5_1": Block(32, 24), "Q8_0": Block(32, 34),
    "Q2_K": Block(256, 84), "Q3_K": Block(256, 110), "Q4_K": Block(256, 144), "Q5_K": Block(256, 176),
    "Q6_K": Block(256, 210), "IQ4_NL": Block(32, 18), "IQ4_XS": Block(256, 136),
}  # fmt: skip


def dequantised(dtype: str, data: Bytes, shape: tuple[int, ...]) -> Tensor:
    """(bytes,) of whole blocks -> a float32 tensor of `shape`."""
    rows = data.reshape(-1, BLOCKS[dtype].size)
    return torch.from_numpy(UNPACK[dtype](rows).astype(np.float32, copy=False).reshape(shape))


def _half(rows: Bytes, place: int) -> Floats:
    """(n, size) -> (n, 1): the half at byte `place` of every block."""
    return np.ascontiguousarray(rows[:, place : place + 2]).view(np.float16).astype(np.float32)


def _nibbles(packed: Bytes) -> Bytes:
    """(..., k) -> (..., 2k): the low halves of the bytes, then the high ones."""
    return np.concatenate([packed & 15, packed >> 4], axis=-1)


def _fields(packed: Bytes, width: int) -> Bytes:
    """(n, k) -> (n, 8/width, k): the fields of `width` bits of every byte, the lowest first."""
    shifts = np.arange(0, 8, width, dtype=np.uint8)[None, :, None]
    return (packed[:, None, :] >> shifts) & np.uint8((1 << width) - 1)


def _fifth(rows: Bytes, place: int) -> Bytes:
    """(n, size) -> (n, 32): the bits of the four bytes at `place`, as 0 or 16."""
    return np.unpackbits(rows[:, place : place + 4], axis=1, bitorder="little") << np.uint8(4)


def _q4(rows: Bytes, start: int) -> Floats:
    return _nibbles(rows[:, start:]).astype(np.float32)


def _q5(rows: Bytes, start: int) -> Floats:
    return (_nibbles(rows[:, start + 4 :]) | _fifth(rows, start)).astype(np.float32)


def _q8_0(rows: Bytes) -> Floats:
    return _half(rows, 0) * np.ascontiguousarray(rows[:, 2:]).view(np.int8)


def _six_bits(packed: Bytes) -> tuple[Floats, Floats]:
    """(n, 12) -> the 8 scales and the 8 minima of Q4_K and Q5_K, (n, 8, 1) each."""
    low, mid, high = packed[:, :4], packed[:, 4:8], packed[:, 8:]
    scales = np.concatenate([low & 63, (high & 15) | (low >> 6) << 4], axis=1)
    minima = np.concatenate([mid & 63, (high >> 4) | (mid >> 6) << 4], axis=1)
    return scales[:, :, None].astype(np.float32), minima[:, :, None].astype(np.float32)


def _q45_k(rows: Bytes, *, fifth: bool) -> Floats:
    """32 numbers per group: the low halves of 32 bytes, then their high halves."""
    scales, minima = _six_bits(rows[:, 4:16])
    q = _nibbles(rows[:, 48 if fifth else 16 :].reshape(-1, 4, 32)).reshape(-1, 8, 32)
    if fifth:
        q = q | _fields(rows[:, 16:48], 1) << np.uint8(4)
    d, least = _half(rows, 0)[:, :, None], _half(rows, 2)[:, :, None]
    return d * scales * q - least * minima


def _q2_k(rows: Bytes) -> Floats:
    """Two halves of 128 numbers; in each, 32 bytes hold four runs of 32 two-bit fields."""
    q = _fields(rows[:, 16:80].reshape(-1, 32), 2).reshape(-1, 16, 16)
    scales = (rows[:, :16, None] & 15).astype(np.float32)
    minima = (rows[:, :16, None] >> 4).astype(np.float32)
    d, least = _half(rows, 80)[:, :, None], _half(rows, 82)[:, :, None]
    return d * scales * q - least * minima


def _q3_k(rows: Bytes) -> Floats:
    """As Q2_K with a third bit from a mask, which counts -4 where it is not set, and signed six-bit scales."""
    low = _nibbles(rows[:, 96:104])
    high = _fields(rows[:, 104:108], 2).reshape(-1, 16)
    scales = (low | high << 4).astype(np.float32)[:, :, None] - 32
    q = _fields(rows[:, 32:96].reshape(-1, 32), 2).reshape(-1, 8, 32)
    third = _fields(rows[:, :32], 1) << 2
    return _half(rows, 108)[:, :, None] * scales * ((q | third).reshape(-1, 16, 16).astype(np.float32) - 4)


def _q6_k(rows: Bytes) -> Floats:
    """Two halves of 128 numbers: four bits from 64 bytes, two more from 32, signed scales per 16."""
    four = _nibbles(rows[:, :128].reshape(-1, 2, 64)).reshape(-1, 8, 32)
    two = _fields(rows[:, 128:192].reshape(-1, 32), 2).reshape(-1, 8, 32)
    q = (four | two << 4).astype(np.float32).reshape(-1, 16, 16) - 32
    scales = np.ascontiguousarray(rows[:, 192:208]).view(np.int8)[:, :, None].astype(np.float32)
    return _half(rows, 208)[:, :, None] * scales * q


def _iq4_xs(rows: Bytes) -> Floats:
    """Levels of a curve, with six-bit scales per 32."""
    high = _fields(rows[:, 2:4], 2).transpose(0, 2, 1).reshape(-1, 8)
    low = _fields(rows[:, 4:8], 4).transpose(0, 2, 1).reshape(-1, 8)
    scales = (low | high << 4).astype(np.float32)[:, :, None] - 32
    levels = CURVE[_nibbles(rows[:, 8:].reshape(-1, 8, 16))]
    return _half(rows, 0)[:, :, None] * scales * levels


UNPACK: Mapping[str, Callable[[Bytes], Floats]] = {
    "Q4_0": lambda rows: _half(rows, 0) * (_q4(rows, 2) - 8),
    "Q4_1": lambda rows: _half(rows, 0) * _q4(rows, 4) + _half(rows, 2),
    "Q5_0": lambda rows: _half(rows, 0) * (_q5(rows, 2) - 16),
    "Q5_1": lambda rows: _half(rows, 0) * _q5(rows, 4) + _half(rows, 2),
    "Q8_0": _q8_0,
    "Q2_K": _q2_k,
    "Q3_K": _q3_k,
    "Q4_K": lambda rows: _q45_k(rows, fifth=False),
    "Q5_K": lambda rows: _q45_k(rows, fifth=True),
    "Q6_K": _q6_k,
    "IQ4_NL": lambda rows: _half(rows, 0) * CURVE[_nibbles(rows[:, 2:])],
    "IQ4_XS": _iq4_xs,
}
