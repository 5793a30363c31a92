"""GGUF files for tests: written from the description of the format, not by the reader's code."""

from collections.abc import Mapping
from struct import pack

NUMBERS = {"F32": 0, "F16": 1, "Q4_0": 2, "Q4_1": 3, "Q5_0": 6, "Q5_1": 7, "Q8_0": 8, "Q2_K": 10, "Q3_K": 11,
           "Q4_K": 12, "Q5_K": 13, "Q6_K": 14, "IQ4_NL": 20, "IQ4_XS": 23, "I32": 26, "BF16": 30}  # fmt: skip
Entry = tuple[str, tuple[int, ...], bytes]
"""Type, shape with the slowest axis first, and bytes."""


def text(words: str) -> bytes:
    """A counted text."""
    return pack("<Q", len(words.encode())) + words.encode()


def note(value: object) -> bytes:
    """A value with its type before it."""
    match value:
        case bool():
            return pack("<I?", 7, value)
        case int():
            return pack("<II", 4, value)
        case float():
            return pack("<If", 6, value)
        case str():
            return pack("<I", 8) + text(value)
        case tuple():
            return pack("<IIQ", 9, 5, len(value)) + b"".join(pack("<i", each) for each in value)
    raise TypeError(value)


def gguf(tensors: Mapping[str, Entry], notes: Mapping[str, object] | None = None, alignment: int = 32) -> bytes:
    """A whole file."""
    table = dict(notes or {}) | ({"general.alignment": alignment} if alignment != 32 else {})
    head = b"GGUF" + pack("<IQQ", 3, len(tensors), len(table))
    head += b"".join(text(name) + note(value) for name, value in table.items())
    body = bytearray()
    for name, (dtype, shape, data) in tensors.items():
        axes = b"".join(pack("<Q", axis) for axis in reversed(shape))
        head += text(name) + pack("<I", len(shape)) + axes + pack("<IQ", NUMBERS[dtype], len(body))
        body += data + bytes(-len(data) % alignment)
    return head + bytes(-len(head) % alignment) + bytes(body)
