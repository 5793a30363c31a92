from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save, save_file

from inkwash.errors import WeightsError
from inkwash.weights.containers.source import Slot, in_memory, joined, open_safetensors, unscaled

X = {"a": torch.arange(6.0).reshape(2, 3), "b.c": torch.ones(3, dtype=torch.bfloat16), "none": torch.zeros(0, 4)}
DATA = save(X, {"note": "n"})


def test_names_and_shapes_come_without_tensors_and_tensors_one_by_one(tmp_path: Path) -> None:
    save_file(X, tmp_path / "x.safetensors", {"note": "n"})
    source = open_safetensors(tmp_path / "x.safetensors")
    assert source.slots == {"a": Slot("F32", (2, 3)), "b.c": Slot("BF16", (3,)), "none": Slot("F32", (0, 4))}
    assert source.metadata == {"note": "n"}
    assert all(torch.equal(source[name], X[name]) for name in X)
    with pytest.raises(WeightsError, match=r"x\.safetensors holds no tensor 'd'"):
        source["d"]


def test_a_tensor_is_the_mapped_memory_itself_and_writing_to_it_leaves_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file(X, path)
    before = path.read_bytes()
    source = open_safetensors(path)
    assert source["a"].data_ptr() == source["a"].data_ptr()
    source["a"].zero_()
    assert source["a"].sum() == 0
    assert path.read_bytes() == before


def test_tensors_that_lie_askew_are_read(tmp_path: Path) -> None:
    text = b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} '
    assert len(text) % 4
    data = len(text).to_bytes(8, "little") + text + torch.tensor([1.5, -2.0]).numpy().tobytes()
    (tmp_path / "x.safetensors").write_bytes(data)
    assert open_safetensors(tmp_path / "x.safetensors")["a"].tolist() == [1.5, -2.0]


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.float8_e5m2])
def test_eight_bits(tmp_path: Path, dtype: torch.dtype) -> None:
    x = torch.tensor([1.0, -0.5, 240.0]).to(dtype)
    save_file({"x": x}, tmp_path / "x.safetensors")
    found = open_safetensors(tmp_path / "x.safetensors")["x"]
    assert found.dtype == dtype
    assert torch.equal(found.float(), x.float())


def test_eight_bits_with_a_scale_beside_them_are_multiplied_by_it() -> None:
    x = torch.tensor([[1.0, -0.5], [2.0, 4.0]]).to(torch.float8_e4m3fn)
    tensors = {"a.weight": x, "a.scale_weight": torch.tensor(0.25), "a.scale_input": torch.tensor(1.0)}
    plain = {"b.weight": torch.ones(2), "scaled_fp8": torch.zeros(2).to(torch.float8_e4m3fn)}
    source = unscaled(in_memory(tensors | plain))
    assert source.slots == {"a.weight": Slot("F32", (2, 2)), "b.weight": Slot("F32", (2,))}
    assert torch.equal(source["a.weight"], x.float() / 4)
    assert torch.equal(source["b.weight"], plain["b.weight"])
    untouched = in_memory(plain)
    assert unscaled(in_memory({"b": torch.ones(1)})).slots == {"b": Slot("F32", (1,))}
    assert "scaled_fp8" in untouched.slots


def test_parts_and_names() -> None:
    source = in_memory(X)
    assert list(source.under("b.")) == ["c"]
    assert torch.equal(source.renamed({"z": "a"})["z"], X["a"])
    assert len(joined("all", [source.renamed({"1": "a"}), source.renamed({"2": "a"})])) == 2
    with pytest.raises(WeightsError, match="both hold 'a'"):
        joined("all", [source, source])


def test_missing_and_empty_files_get_a_line(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"cannot read .*nowhere: No such file"):
        open_safetensors(tmp_path / "nowhere")
    (tmp_path / "empty").touch()
    with pytest.raises(WeightsError, match="empty: the file is empty"):
        open_safetensors(tmp_path / "empty")


@pytest.mark.parametrize("size", range(1, len(DATA), 5))
def test_every_cut_is_noticed(tmp_path: Path, size: int) -> None:
    (tmp_path / "x.safetensors").write_bytes(DATA[:size])
    with pytest.raises(WeightsError, match=r"x\.safetensors: "):
        open_safetensors(tmp_path / "x.safetensors")


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(DATA) - 1), st.integers(0, 7))
def test_any_flipped_bit_is_refused_or_changes_only_what_it_hits(
    tmp_path_factory: pytest.TempPathFactory, place: int, bit: int
) -> None:
    data = bytearray(DATA)
    data[place] ^= 1 << bit
    path = tmp_path_factory.getbasetemp() / "flipped.safetensors"
    path.write_bytes(data)
    try:
        source = open_safetensors(path)
    except WeightsError as error:
        assert "\n" not in str(error)  # noqa: PT017
        return
    read = sum(tensor.numel() * tensor.element_size() for tensor in source.tensors().values())
    assert read == sum(tensor.numel() * tensor.element_size() for tensor in X.values())
