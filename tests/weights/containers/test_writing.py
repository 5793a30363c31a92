from pathlib import Path

import numpy as np
import pytest
import torch

from inkwash.errors import OutputError, WeightsError
from inkwash.weights.containers.gguf import open_gguf
from inkwash.weights.containers.source import in_memory, open_safetensors
from inkwash.weights.containers.writing import whole_folder, write_source
from inkwash.weights.files import packed
from tools.gguf_writer import gguf

X = {
    "a": torch.arange(6.0).reshape(2, 3).t(),
    "b": torch.ones(3, dtype=torch.float16),
    "c": torch.arange(3),
    "d": torch.tensor(2.0),
    "e": torch.zeros(0, 3),
}


def test_the_same_bytes_as_from_memory(tmp_path: Path) -> None:
    write_source(tmp_path / "x.safetensors", in_memory(X), {"b": "2", "a": "1"})
    assert (tmp_path / "x.safetensors").read_bytes() == packed(X, {"a": "1", "b": "2"})


def test_only_floats_change_their_type(tmp_path: Path) -> None:
    write_source(tmp_path / "x.safetensors", in_memory(X), {}, "bfloat16")
    found = open_safetensors(tmp_path / "x.safetensors")
    assert {name: slot.dtype for name, slot in found.slots.items()} == {
        "a": "BF16", "b": "BF16", "c": "I64", "d": "BF16", "e": "BF16",
    }  # fmt: skip
    assert torch.equal(found["a"], X["a"].bfloat16())


def test_quantised_numbers_are_unpacked(tmp_path: Path) -> None:
    data = np.arange(34, dtype=np.uint8).tobytes()
    (tmp_path / "x.gguf").write_bytes(gguf({"q": ("Q8_0", (1, 32), data)}))
    source = open_gguf(tmp_path / "x.gguf")
    write_source(tmp_path / "x.safetensors", source, {})
    found = open_safetensors(tmp_path / "x.safetensors")
    assert found.slots["q"].dtype == "F32"
    assert torch.equal(found["q"], source["q"])


def test_what_half_precision_cannot_hold_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="'big' holds numbers that half precision cannot"):
        write_source(tmp_path / "x.safetensors", in_memory({"big": torch.tensor([7e4])}), {}, "float16")
    assert list(tmp_path.iterdir()) == []
    write_source(tmp_path / "x.safetensors", in_memory({"inf": torch.tensor([float("inf")])}), {}, "float16")


def test_files_and_folders_are_replaced_only_when_allowed(tmp_path: Path) -> None:
    write_source(tmp_path / "x.safetensors", in_memory(X), {})
    with pytest.raises(OutputError, match="exists already"):
        write_source(tmp_path / "x.safetensors", in_memory(X), {})
    with whole_folder(tmp_path / "f") as part:
        (part / "old").touch()
    with pytest.raises(OutputError, match="exists already"), whole_folder(tmp_path / "f"):
        pass
    with whole_folder(tmp_path / "f", overwrite=True) as part:
        (part / "new").touch()
    assert [path.name for path in (tmp_path / "f").iterdir()] == ["new"]
    with pytest.raises(OutputError, match="exists already"), whole_folder(tmp_path / "x.safetensors", overwrite=True):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f", "x.safetensors"]


def test_a_folder_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def half_done() -> None:
        with whole_folder(tmp_path / "f") as part:
            (part / "half").touch()
            raise WeightsError("broken")

    with pytest.raises(WeightsError, match="broken"):
        half_done()
    assert list(tmp_path.iterdir()) == []
