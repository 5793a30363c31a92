"""`inkwash forward` as a user types it."""

from pathlib import Path

import pytest
from PIL import Image

from inkwash.cli.main import main


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "garden.jpg"
    Image.linear_gradient("L").convert("RGB").resize((90, 60)).save(path)
    return path


def test_a_strip_and_a_film_are_written_and_named(
    photo: Path, tmp_path: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "garden.png"
    assert main(["forward", str(photo), "--model", str(tiny_folder), "--out", str(out), "--frames", "3"]) == 0
    assert capsys.readouterr().out.splitlines() == [str(out), str(out.with_suffix(".webp"))]
    with Image.open(out) as still, Image.open(out.with_suffix(".webp")) as film:
        assert still.height > 2 * 160, "two spaces"
        assert film.n_frames > 20
        assert film.width > 2 * 256


def test_without_a_model_there_are_pixels_alone(photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "f.png"
    words = ["forward", str(photo), "--model", "none", "--size", "32", "--schedule", "cosine", "--no-film"]
    assert main([*words, "--out", str(out)]) == 0
    assert main([*words, "--out", str(out)]) == 0
    assert sorted(path.name for path in tmp_path.glob("f*")) == ["f-1.png", "f.png"]
    assert out.read_bytes() == (tmp_path / "f-1.png").read_bytes()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--size", "33"], "size is 33, but must be a multiple of 4 from 32 to 1024"),
        (["--size", "8"], "size is 8, but must be a multiple of 4 from 32 to 1024"),
        (["--frames", "1"], "frames is 1, but must be from 2 to 24"),
        (["--out", "strip.gif"], "out is 'strip.gif', but must be a name that ends in .png"),
    ],
)
def test_bad_wishes_get_one_line(
    photo: Path, tiny_folder: Path, words: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["forward", str(photo), "--model", str(tiny_folder), *words]) == 2
    assert capsys.readouterr().err == f"inkwash: {line}\n"


def test_a_missing_photograph_gets_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["forward", str(tmp_path / "none.jpg"), "--model", "none", "--out", str(tmp_path / "f.png")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("inkwash: photo is ")
