import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save

from inkwash.errors import WeightsError
from inkwash.weights.header import BYTES, LARGEST_HEADER, Entry, header

GOOD = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(3, dtype=torch.float16), "c": torch.zeros(0, 4)}
DATA = save(GOOD, {"note": "n"})


def packed(table: object, size: int = 0) -> bytes:
    text = table if isinstance(table, bytes) else json.dumps(table).encode()
    return len(text).to_bytes(8, "little") + text + bytes(size)


def row(dtype: str = "F32", shape: object = (1,), offsets: object = (0, 4)) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def test_what_the_library_writes_is_read() -> None:
    found = header(DATA)
    assert {name: entry.shape for name, entry in found.entries.items()} == {"a": (2, 3), "b": (3,), "c": (0, 4)}
    assert found.metadata == {"note": "n"}
    assert DATA[found.start :] == DATA[-30:]


def test_entries_come_in_the_order_of_their_bytes() -> None:
    table = {"late": row(offsets=(4, 8)), "early": row(offsets=(0, 4))}
    assert header(packed(table, 8)).entries == {"early": Entry("F32", (1,), 0, 4), "late": Entry("F32", (1,), 4, 8)}


@pytest.mark.parametrize("size", range(0, len(DATA), 7))
def test_every_cut_is_noticed(size: int) -> None:
    with pytest.raises(WeightsError):
        header(DATA[:size])


def test_every_added_byte_is_noticed() -> None:
    with pytest.raises(WeightsError, match="belong to no tensor"):
        header(DATA + b"\0")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"<!DOCTYPE html><html>404</html>", "a web page"),
        (b"\n\n<html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git-lfs pointer"),
        (b"PK\x03\x04" + bytes(40), "zip archive or a pickled"),
        (b"\x80\x02}q\x00." + bytes(40), "pickled checkpoint"),
        (b"GGUF" + bytes(40), "GGUF"),
        (bytes(40), "not a safetensors file"),
        ((LARGEST_HEADER + 1).to_bytes(8, "little") + b"{" + bytes(40), "not a safetensors file"),
        ((2**63).to_bytes(8, "little") + b"{}", "not a safetensors file"),
        (packed(b"{nothing"), "not JSON"),
        (packed(b'{"a":\xff}'), "not JSON"),
        (packed(b'{"a":' + b"[" * 100_000), "not JSON"),
        (packed({"a": row(), "b": row()}, 4), "leaves a gap or overlaps"),
        (packed({"a": row(offsets=(4, 8))}, 8), "leaves a gap or overlaps"),
        (packed({"a": row()}, 8), "belong to no tensor"),
        (packed({"a": row()}, 3), "cut off"),
        (packed({"a": row(dtype="Q9")}, 4), "unknown type 'Q9'"),
        (packed({"a": row(shape=(2,))}, 4), "cannot take 4 bytes"),
        (packed({"a": row(shape=(-1,))}, 4), "not whole numbers"),
        (packed({"a": row(shape=(2**60,))}, 4), "not whole numbers"),
        (packed({"a": row(shape=(2**47, 2**47, 0), offsets=(0, 4))}, 4), "cannot take 4 bytes"),
        (packed({"a": row(shape=(1.0,))}, 4), "not whole numbers"),
        (packed({"a": row(shape=(True,))}, 4), "not whole numbers"),
        (packed({"a": row(shape=(1,) * 9)}, 4), "absurd length"),
        (packed({"a": row(offsets=(0, 4, 4))}, 4), "absurd length"),
        (packed({"a": row(offsets=(4, 0))}, 4), "cannot take -4 bytes"),
        (packed({"a": {**row(), "more": 1}}, 4), "nothing else"),
        (packed({"a": 3}, 4), "nothing else"),
        (packed({"__metadata__": {"a": 1}}), "texts to texts"),
        (packed({f"t{n}": row("U8", (0,), (0, 0)) for n in range(20_001)}), "claims 20001 tensors"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(data: bytes, message: str) -> None:
    with pytest.raises(WeightsError, match=message) as raised:
        header(data)
    assert "\n" not in str(raised.value)


def test_a_name_given_twice_is_refused() -> None:
    both = json.dumps(row())
    with pytest.raises(WeightsError, match="names 'a' twice"):
        header(packed(f'{{"a":{both},"a":{both}}}'.encode(), 4))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_garbage_raises_anything_else(data: st.DataObject) -> None:
    spoilt = bytearray(DATA)
    for _ in range(data.draw(st.integers(1, 4))):
        spoilt[data.draw(st.integers(0, len(DATA) - 31))] = data.draw(st.integers(0, 255))
    try:
        found = header(bytes(spoilt))
    except WeightsError:
        return
    assert sum(entry.end - entry.begin for entry in found.entries.values()) == len(DATA) - found.start
    assert all(entry.dtype in BYTES for entry in found.entries.values())
