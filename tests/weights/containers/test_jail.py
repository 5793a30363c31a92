"""The reader of pickles in this process, on files that were spoilt."""

import io
import zipfile
import zlib
from contextlib import suppress

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from inkwash.weights.containers.jail import MOST_VISITS, SIZES, flat, read
from inkwash.weights.containers.machine import STORAGES, Refused, Storage, View


def saved(zipped: bool) -> bytes:
    data = io.BytesIO()
    state = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(4).half(), "deep": {"c": torch.zeros(2)}}
    torch.save({"state_dict": state, "n": [1, (2, None)]}, data, _use_new_zipfile_serialization=zipped)
    return data.getvalue()


ERRORS = (Refused, ValueError, LookupError, TypeError, AttributeError, OSError, EOFError, zipfile.BadZipFile,
          NotImplementedError, RuntimeError, zlib.error, RecursionError)  # fmt: skip
GOOD = {zipped: saved(zipped) for zipped in (True, False)}


@settings(max_examples=150, deadline=None)
@given(st.booleans(), st.data())
def test_spoilt_files_end_in_an_error_or_in_places_inside_the_file(zipped: bool, draw: st.DataObject) -> None:
    data = bytearray(GOOD[zipped])
    for _ in range(draw.draw(st.integers(1, 3))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    with suppress(ERRORS):  # the process says of any that the pickle is broken
        found = read(io.BytesIO(bytes(data)))
        for dtype, shape, stride, begin, offset in found["tensors"].values():
            reach = offset + sum((n - 1) * step for n, step in zip(shape, stride, strict=True)) + 1
            assert 0 in shape or begin + reach * SIZES[dtype] <= len(data)


def test_every_cut_ends_in_an_error() -> None:
    for zipped, data in GOOD.items():
        for size in range(0, len(data) - 1, 97):
            broken = False
            try:
                found = read(io.BytesIO(data[:size]))
            except ERRORS:
                broken = True
            assert broken, (zipped, size, found)


def test_paths_of_tensors_are_joined_by_dots() -> None:
    assert set(read(io.BytesIO(GOOD[True]))["tensors"]) == {"a", "b", "deep.c"}


def test_sizes_of_every_type_are_known() -> None:
    assert set(STORAGES.values()) == SIZES.keys()


def test_many_things_end() -> None:
    view = View(Storage("F32", "0", 1), 0, (1,), (1,))
    level: object = view
    for _ in range(5):
        level = dict.fromkeys(range(20), level)
    try:
        count = sum(1 for _ in flat(level))
    except Refused as refusal:
        assert str(refusal) == "it holds too many things"  # noqa: PT017
    else:
        raise AssertionError(f"{count} of at most {MOST_VISITS}")
