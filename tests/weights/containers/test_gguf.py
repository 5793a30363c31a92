from pathlib import Path
from struct import pack

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from inkwash.errors import WeightsError
from inkwash.weights.containers.gguf import open_gguf
from inkwash.weights.containers.quants import BLOCKS, dequantised
from tools.gguf_writer import gguf, text

FLOATS = torch.arange(12.0).reshape(3, 4)
PACKED = np.random.default_rng(0).integers(0, 60, (4, BLOCKS["Q4_K"].size), dtype=np.uint8)
TENSORS = {
    "full": ("F32", (3, 4), FLOATS.numpy().tobytes()),
    "half": ("F16", (12,), FLOATS.half().numpy().tobytes()),
    "brain": ("BF16", (3, 4), FLOATS.bfloat16().view(torch.uint8).numpy().tobytes()),
    "whole": ("I32", (2,), pack("<ii", -7, 8)),
    "packed": ("Q4_K", (4, 256), PACKED.tobytes()),
}
NOTES = {
    "general.architecture": "sd1",
    "general.quantization_version": 2,
    "much": 0.5,
    "yes": True,
    "comfy.gguf.orig_shape.packed": (4, 16, 4, 4),
}
GOOD = gguf(TENSORS, NOTES)


def opened(folder: Path, data: bytes) -> None:
    path = folder / "x.gguf"
    path.write_bytes(data)
    source = open_gguf(path)
    for name in source.slots:
        assert tuple(source[name].shape) == source.shape(name)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(GOOD)
    source = open_gguf(tmp_path / "x.gguf")
    assert torch.equal(source["full"], FLOATS)
    assert torch.equal(source["half"], FLOATS.half().flatten())
    assert torch.equal(source["brain"], FLOATS.bfloat16())
    assert source["whole"].tolist() == [-7, 8]
    assert source.metadata["general.architecture"] == "sd1"
    assert source.container == "GGUF"
    assert {name: slot.dtype for name, slot in source.slots.items()}["packed"] == "Q4_K"


def test_a_tensor_that_was_flattened_to_fill_blocks_gets_its_shape_back(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(GOOD)
    found = open_gguf(tmp_path / "x.gguf")["packed"]
    assert torch.equal(found, dequantised("Q4_K", PACKED.reshape(-1), (4, 16, 4, 4)))


@pytest.mark.parametrize("alignment", [8, 64, 4096])
def test_other_alignments(tmp_path: Path, alignment: int) -> None:
    opened(tmp_path, gguf(TENSORS, {}, alignment))


def head(tensors: int = 0, notes: int = 0, version: int = 3) -> bytes:
    return b"GGUF" + pack("<IQQ", version, tensors, notes)


def tensor(axes: tuple[int, ...] = (4,), kind: int = 0, place: int = 0, name: str = "t") -> bytes:
    sizes = b"".join(pack("<Q", axis) for axis in axes)
    return text(name) + pack("<I", len(axes)) + sizes + pack("<IQ", kind, place)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"GGML" + GOOD[4:], "not a GGUF file"),
        (head(version=1), "version 1"),
        (head(version=3 << 24), "low bytes first"),
        (head(tensors=2**63), "cannot be meant"),
        (head(notes=2**40), "cannot be meant"),
        (head(notes=1) + pack("<Q", 2**63), "cut off"),
        (head(notes=1) + text("a") + pack("<IIQ", 9, 8, 2**63), "claims 9223372036854775808 values"),
        (head(notes=1) + text("a") + pack("<IIQ", 9, 0, 2**20), "cut off"),
        (head(notes=1) + text("a") + pack("<IIQ", 9, 9, 1), "list in its head"),
        (head(notes=1) + text("a") + pack("<I", 77), "unknown type 77"),
        (head(notes=1) + pack("<Q", 1) + b"\xff" + pack("<IB", 0, 1), "not UTF-8"),
        (head(notes=2) + 2 * (text("a") + pack("<IB", 0, 1)), "names a note twice"),
        (head(1) + tensor((1,) * 5), "claims 5 axes"),
        (head(1) + tensor(kind=99), "type 99"),
        (head(1) + tensor((2**60,)), "cannot be meant"),
        (head(1) + tensor((2**40, 2**40)), "cut off"),
        (head(1) + tensor((4,), place=2**40), "cut off"),
        (head(1) + tensor((4,), place=3) + bytes(64), "not aligned"),
        (head(1) + tensor((33,), kind=2) + bytes(64), "no whole blocks"),
        (head(1) + tensor(name="") + bytes(64), "a name of 0 letters"),
        (head(2) + 2 * tensor() + bytes(64), "names a tensor twice"),
        (head(2) + tensor((16,)) + tensor((16,), place=32, name="u") + bytes(256), "overlaps"),
        (head(0, 1) + text("general.alignment") + pack("<II", 4, 3), "power of two"),
        (head(0, 1) + text("general.alignment") + pack("<II", 4, 2**21), "power of two"),
        (gguf({"t": TENSORS["full"]}, {"comfy.gguf.orig_shape.t": (5, 5)}), "cannot have been of shape"),
        (gguf({"t": TENSORS["full"]}, {"comfy.gguf.orig_shape.t": "x"}), "cannot have been of shape"),
        (gguf({"t": TENSORS["full"]}, {"comfy.gguf.orig_shape.t": (-3, -4)}), "cannot have been of shape"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(WeightsError, match=message) as raised:
        opened(tmp_path, data)
    assert "\n" not in str(raised.value)
    assert "x.gguf" in str(raised.value)


@pytest.mark.parametrize("size", [*range(1, len(GOOD) - 40, 61), len(GOOD) - 33])
def test_every_cut_is_noticed(tmp_path: Path, size: int) -> None:
    with pytest.raises(WeightsError):
        opened(tmp_path, GOOD[:size])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 700), st.integers(0, 255)), min_size=1, max_size=4))
def test_spoilt_heads_are_refused_or_read(
    tmp_path_factory: pytest.TempPathFactory, spoilt: list[tuple[int, int]]
) -> None:
    data = bytearray(GOOD)
    for place, value in spoilt:
        data[place] = value
    try:
        opened(tmp_path_factory.getbasetemp(), bytes(data))
    except WeightsError as error:
        assert "\n" not in str(error)  # noqa: PT017
