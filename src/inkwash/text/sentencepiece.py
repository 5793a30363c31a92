"""Reading `spiece.model`: pieces with their log-probabilities, in protobuf's wire format.  (Kudo & Richardson 2018)

Only what T5 needs is understood; nothing in such a file is code.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

PIECE, TRAINER, NORMALIZER = 1, 2, 3
"""Numbers of the fields of a model."""
MODEL_TYPE, UNIGRAM = 3, 1
CHARSMAP = 2


@dataclass(frozen=True)
class Pieces:
    """A unigram model."""

    scores: tuple[tuple[str, float], ...]
    """Each piece with the logarithm of its probability, in order of their tokens."""
    unknown: int
    charsmap: bytes
    """The table by which text is normalised; empty for none."""


def parsed(data: bytes) -> Pieces:
    """What the bytes of a file say.  Raises ValueError saying what is wrong with them."""
    scores: list[tuple[str, float]] = []
    unknown, charsmap = None, b""
    for number, value in fields(data):
        if number == PIECE:
            piece = dict(fields(_bytes(value)))
            if piece.get(3) == 2:  # the type that stands for what no piece spells
                unknown = len(scores)
            scores.append((_bytes(piece.get(1)).decode("utf-8"), _score(piece.get(2, b"\0\0\0\0"))))
        elif number == TRAINER and dict(fields(_bytes(value))).get(MODEL_TYPE, UNIGRAM) != UNIGRAM:
            raise ValueError("it is no unigram model")
        elif number == NORMALIZER:
            charsmap = _bytes(dict(fields(_bytes(value))).get(CHARSMAP, b""))
    if unknown is None:
        raise ValueError("it has no piece for the unknown")
    return Pieces(tuple(scores), unknown, charsmap)


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Numbers and values of a message.  Raises ValueError if it ends early or is of another kind."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        if kind == 2:
            size, at = _varint(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError(f"byte {at} begins nothing that protobuf knows")
        if at + size > len(data):
            raise ValueError(f"it ends inside the field at byte {at}")
        yield key >> 3, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place, byte in enumerate(data[at : at + 10]):
        value |= (byte & 127) << 7 * place
        if byte < 128:
            return value, at + place + 1
    raise ValueError(f"it ends inside the number at byte {at}")


def _bytes(value: int | bytes | None) -> bytes:
    if not isinstance(value, bytes):
        raise ValueError("a number stands where text belongs")
    return value


def _score(value: int | bytes) -> float:
    if len(found := _bytes(value)) != 4:
        raise ValueError("a score is not four bytes long")
    return float(struct.unpack("<f", found)[0])
