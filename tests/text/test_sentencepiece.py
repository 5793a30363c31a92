import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkwash.text.sentencepiece import Pieces, fields, parsed


def varint(value: int) -> bytes:
    return bytes([value & 127 | 128]) + varint(value >> 7) if value > 127 else bytes([value])


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def piece(text: str, score: float, kind: int = 1) -> bytes:
    return field(1, field(1, text.encode()) + b"\x15" + struct.pack("<f", score) + field(3, kind))


SPECIAL = piece("<pad>", 0, 3) + piece("</s>", 0, 3) + piece("<unk>", 0, 2)


def test_pieces_come_in_order_with_their_scores() -> None:
    data = SPECIAL + piece("▁a", -1.5) + field(2, field(3, 1)) + field(3, field(1, b"nmt_nfkc") + field(2, b"table"))
    scores = (("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁a", -1.5))
    assert parsed(data) == Pieces(scores, 2, b"table")


def test_what_is_not_needed_is_passed_over() -> None:
    rest = field(9, 1 << 40) + field(200, b"x" * 300) + varint(8 << 3 | 1) + bytes(8) + varint(7 << 3 | 5) + bytes(4)
    assert parsed(rest + SPECIAL + rest) == parsed(SPECIAL)


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        (b"", "no piece for the unknown"),
        (SPECIAL[:-2], "ends inside the field"),
        (SPECIAL + b"\xff", "ends inside the number"),
        (SPECIAL + b"\x80" * 20, "ends inside the number"),
        (SPECIAL + b"\x0b", "nothing that protobuf knows"),
        (SPECIAL + field(1, 5), "where text belongs"),
        (SPECIAL + field(1, field(2, b"abc") + field(1, b"a")), "four bytes"),
        (SPECIAL + field(2, field(3, 2)), "no unigram model"),
    ],
)
def test_what_is_wrong_is_said(data: bytes, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        parsed(data)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        found = parsed(SPECIAL + data)
    except ValueError:
        return
    assert found.scores[:3] == parsed(SPECIAL).scores


@given(st.lists(st.tuples(st.integers(1, 500), st.integers(0, 2**60) | st.binary(max_size=200)), max_size=5))
def test_fields_come_back(values: list[tuple[int, int | bytes]]) -> None:
    assert list(fields(b"".join(field(*value) for value in values))) == values
