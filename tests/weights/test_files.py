from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from inkwash.errors import OutputError, WeightsError
from inkwash.weights.files import NAMES, packed, read, sha256, write


def some(dtype: torch.dtype) -> torch.Tensor:
    return torch.arange(12).reshape(3, 4).to(dtype)


TENSORS = {str(dtype): some(dtype) for dtype in NAMES} | {"scalar": torch.tensor(3.0), "none": torch.zeros(0, 2)}


def same(found: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor]) -> bool:
    return found.keys() == wanted.keys() and all(
        found[name].dtype == wanted[name].dtype and torch.equal(found[name], wanted[name]) for name in wanted
    )


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write(tmp_path / "a.safetensors", TENSORS, {"b": "2", "a": "1 ünïcode"})
    found = read(tmp_path / "a.safetensors")
    assert same(dict(found.tensors), TENSORS)
    assert found.metadata == {"a": "1 ünïcode", "b": "2"}


def test_the_library_reads_what_we_write_and_we_what_it_writes(tmp_path: Path) -> None:
    write(tmp_path / "ours.safetensors", TENSORS, {"a": "1"})
    assert same(load_file(tmp_path / "ours.safetensors"), TENSORS)
    save_file(TENSORS, tmp_path / "theirs.safetensors")
    assert same(dict(read(tmp_path / "theirs.safetensors").tensors), TENSORS)


def test_views_and_gradients_are_written_as_they_look() -> None:
    whole = torch.arange(12.0).reshape(3, 4).requires_grad_()
    assert packed({"a": whole.t()}, {}) == packed({"a": whole.detach().t().contiguous()}, {})


def test_the_same_content_is_the_same_bytes() -> None:
    backwards = dict(reversed(TENSORS.items()))
    assert packed(TENSORS, {"a": "1", "b": "2"}) == packed(backwards, {"b": "2", "a": "1"})


def test_every_tensor_lies_on_a_multiple_of_its_size() -> None:
    from inkwash.weights.header import BYTES, header

    found = header(packed(TENSORS, {}))
    assert found.start % 8 == 0
    assert all(entry.begin % BYTES[entry.dtype] == 0 for entry in found.entries.values())


def test_files_are_replaced_only_when_allowed(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write(path, {"a": torch.zeros(1)}, {})
    with pytest.raises(OutputError, match="exists already"):
        write(path, {"a": torch.ones(1)}, {})
    write(path, {"a": torch.ones(1)}, {}, overwrite=True)
    assert read(path).tensors["a"] == 1


def test_errors_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "page.safetensors"
    path.write_text("<html>")
    with pytest.raises(WeightsError, match=r"page\.safetensors: this is a web page"):
        read(path)
    with pytest.raises(WeightsError, match=r"cannot read .*nowhere: No such file"):
        read(tmp_path / "nowhere")


def test_sha256_of_the_empty_file() -> None:
    assert sha256(b"").startswith("e3b0c44298fc1c14")
