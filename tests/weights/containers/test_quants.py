"""Every layout of blocks against numbers written out one at a time, and against sums of another implementation."""

from collections.abc import Iterator
from struct import unpack_from
from zlib import crc32

import numpy as np
import pytest

from inkwash.weights.containers.quants import BLOCKS, CURVE, dequantised

HALVES = {
    "Q2_K": (80, 82),
    "Q3_K": (108,),
    "Q6_K": (208,),
    "Q4_K": (0, 2),
    "Q5_K": (0, 2),
    "Q4_1": (0, 2),
    "Q5_1": (0, 2),
}


def blocks(dtype: str, count: int = 5) -> np.ndarray:
    """Random bytes whose scales are ordinary numbers."""
    random = np.random.default_rng(crc32(dtype.encode()))
    rows = random.integers(0, 256, (count, BLOCKS[dtype].size), dtype=np.uint8)
    for place in HALVES.get(dtype, (0,)):
        rows[:, place : place + 2] = random.normal(size=(count, 1)).astype(np.float16).view(np.uint8)
    return rows


def half(block: bytes, place: int) -> float:
    return unpack_from("<e", block, place)[0]


def simple(dtype: str, b: bytes) -> Iterator[float]:
    """Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 and IQ4_NL, from their definitions."""
    d = half(b, 0)
    if dtype == "Q8_0":
        yield from (d * unpack_from("b", b, 2 + n)[0] for n in range(32))
        return
    minimum = half(b, 2) if dtype.endswith("1") else 0.0
    start = (4 if dtype.endswith("1") else 2) + (4 if dtype.startswith("Q5") else 0)
    fifth = int.from_bytes(b[start - 4 : start], "little") if dtype.startswith("Q5") else 0
    for n in range(32):
        q = b[start + n % 16] >> 4 * (n // 16) & 15 | (fifth >> n & 1) << 4
        if dtype == "IQ4_NL":
            yield d * float(CURVE[q])
        else:
            yield d * (q - {"Q4_0": 8, "Q5_0": 16}.get(dtype, 0)) + minimum


def scale_and_minimum(b: bytes, n: int) -> tuple[int, int]:
    """The two six-bit numbers of group n in the twelve bytes of Q4_K and Q5_K."""
    q = b[4:16]
    if n < 4:
        return q[n] & 63, q[n + 4] & 63
    return q[n + 4] & 15 | q[n - 4] >> 6 << 4, q[n + 4] >> 4 | q[n] >> 6 << 4


def k_type(dtype: str, b: bytes) -> Iterator[float]:
    """The 256 numbers of a K block in order."""
    for n in range(256):
        part, group, lane = n // 128, n // 32, n % 32
        if dtype in ("Q4_K", "Q5_K"):
            scale, minimum = scale_and_minimum(b, group)
            start = 48 if dtype == "Q5_K" else 16
            q = b[start + 32 * (group // 2) + lane] >> 4 * (group % 2) & 15
            q |= (b[16 + lane] >> group & 1) << 4 if dtype == "Q5_K" else 0
            yield half(b, 0) * scale * q - half(b, 2) * minimum
        elif dtype == "Q2_K":
            q = b[16 + 32 * part + lane] >> 2 * (group % 4) & 3
            yield half(b, 80) * (b[n // 16] & 15) * q - half(b, 82) * (b[n // 16] >> 4)
        elif dtype == "Q3_K":
            j = n // 16
            scale = (b[96 + j % 8] >> 4 * (j // 8) & 15 | (b[104 + j % 4] >> 2 * (j // 4) & 3) << 4) - 32
            q = b[32 + 32 * part + lane] >> 2 * (group % 4) & 3
            yield half(b, 108) * scale * (q - (0 if b[lane] >> group & 1 else 4))
        elif dtype == "Q6_K":
            four = b[64 * part + 32 * (group % 2) + lane] >> 4 * (group % 4 // 2) & 15
            two = b[128 + 32 * part + lane] >> 2 * (group % 4) & 3
            yield half(b, 208) * unpack_from("b", b, 192 + n // 16)[0] * ((four | two << 4) - 32)
        else:
            high = int.from_bytes(b[2:4], "little") >> 2 * group & 3
            scale = (b[4 + group // 2] >> 4 * (group % 2) & 15 | high << 4) - 32
            yield half(b, 0) * scale * float(CURVE[b[8 + 16 * group + n % 16] >> 4 * (lane // 16) & 15])


@pytest.mark.parametrize("dtype", BLOCKS)
def test_every_number_is_what_its_bits_say(dtype: str) -> None:
    rows = blocks(dtype)
    written = k_type if BLOCKS[dtype].numbers == 256 else simple
    wanted = [number for row in rows for number in written(dtype, row.tobytes())]
    found = dequantised(dtype, rows.reshape(-1), (5, BLOCKS[dtype].numbers)).flatten().tolist()
    assert found == pytest.approx(wanted, rel=1e-6, abs=1e-6)


PUBLISHED = {
    "Q4_0": 2859002464,
    "Q4_1": 4215155078,
    "Q5_0": 827913945,
    "Q5_1": 1370218159,
    "Q8_0": 3385812946,
    "Q2_K": 3228589565,
    "Q3_K": 607601938,
    "Q4_K": 4271842240,
    "Q5_K": 1460268871,
    "Q6_K": 3238496510,
    "IQ4_NL": 224842408,
    "IQ4_XS": 3469762237,
}
"""crc32 of the float32 bytes that the gguf package 0.19.0 makes of `blocks`."""


@pytest.mark.parametrize("dtype", PUBLISHED)
def test_bit_for_bit_what_the_package_of_the_format_makes(dtype: str) -> None:
    rows = blocks(dtype)
    found = dequantised(dtype, rows.reshape(-1), (rows.shape[0] * BLOCKS[dtype].numbers,))
    assert crc32(found.numpy().tobytes()) == PUBLISHED[dtype]
