"""Released checkpoints through the command line: painted, and painted again byte for byte."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inkwash.weights.single import Base
from tools.checkpoints import Form, Shelf

Inkwash = Callable[..., Any]
ASKED = ("--width", "32", "--height", "32", "--steps", "2", "--seed", "5", "--device", "cpu", "--preview", "off")


@pytest.mark.parametrize(
    ("base", "form", "more"),
    [
        ("sd1", "folder", ()),
        ("sd1", "gguf", ("--sampler", "dpmpp_2m", "--spacing", "karras")),
        ("sd2", "single", ("--prediction", "v_prediction")),
        ("sdxl", "single", ("--negative-prompt", "dogs")),
        ("sd3", "sharded", ()),
    ],
)
def test_painted_and_painted_again(
    inkwash: Inkwash, shelf: Shelf, base: Base, form: Form, more: tuple[str, ...]
) -> None:
    done = inkwash("paint", "a photo of a cat", "--model", shelf(base, form), *ASKED, *more)
    assert (done.code, len(done.paths)) == (0, 1), done.err
    again = inkwash("again", done.paths[0], "--preview", "off")
    assert (again.code, "the same file, byte for byte" in again.err) == (0, True), again.err
    assert again.paths[0].read_bytes() == done.paths[0].read_bytes()


def test_another_file_is_not_the_model_it_was(inkwash: Inkwash, shelf: Shelf, tmp_path: Path) -> None:
    file = tmp_path / "cats.safetensors"
    file.write_bytes(shelf("sd1", "single").read_bytes())
    told = ("--tokenizer", shelf("sd1", "folder") / "tokenizer")
    done = inkwash("paint", "a cat", "--model", file, *told, *ASKED)
    assert done.code == 0, done.err
    with file.open("r+b") as data:
        data.seek(-1, 2)
        last = data.read(1)
        data.seek(-1, 2)
        data.write(bytes([last[0] ^ 1]))
    again = inkwash("again", done.paths[0], "--preview", "off")
    assert again.code == 3
    assert "it was painted by another cats: cats.safetensors was" in again.err


def test_what_goes_wrong_takes_one_line(inkwash: Inkwash, tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_bytes(b"nothing")
    broken = inkwash("paint", "a cat", "--model", tmp_path / "x.safetensors", *ASKED)
    assert (broken.code, broken.err.count("\n")) == (3, 1)
    missing = inkwash("paint", "a cat", "--model", tmp_path / "y.safetensors", *ASKED)
    assert (missing.code, missing.err.count("\n")) == (2, 1)
    ours = inkwash("paint", "a cat", "--model", "pets", "--prediction", "epsilon", *ASKED)
    assert "prediction is 'epsilon', but must be left out" in ours.err
