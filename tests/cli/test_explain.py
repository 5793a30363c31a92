"""`inkwash explain` as a user types it."""

from pathlib import Path

import pytest
from PIL import Image

from inkwash.cli.main import main


def test_one_sheet_is_written_and_named(tmp_path: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "sheet.png"
    words = ["explain", "a cat", "--model", str(tiny_folder), "--seed", "1", "--out", str(out), "--rows", "2"]
    assert main(words) == 0
    assert capsys.readouterr().out == f"{out}\n"
    with Image.open(out) as sheet:
        assert sheet.width > 7 * 160
        assert sheet.height > 2 * 160


def test_the_random_part_is_there_unless_another_sampler_is_asked_for(tmp_path: Path, tiny_folder: Path) -> None:
    def sheet(*more: str) -> bytes:
        out = tmp_path / f"{len(list(tmp_path.iterdir()))}.png"
        assert (
            main(
                [
                    "explain",
                    "a cat",
                    "--model",
                    str(tiny_folder),
                    "--seed",
                    "1",
                    "--out",
                    str(out),
                    "--rows",
                    "1",
                    *more,
                ]
            )
            == 0
        )
        return out.read_bytes()

    assert sheet() == sheet("--sampler", "euler_ancestral")
    assert sheet() != sheet("--sampler", "euler")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--rows", "0"], "rows is 0, but must be from 1 to 50"),
        (["--count", "3"], "count is 3, but must be 1: a sheet explains one picture"),
        (["--out", "sheet"], "out is 'sheet', but must be a name that ends in .png"),
    ],
)
def test_bad_wishes_get_one_line(
    tiny_folder: Path, words: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", "a cat", "--model", str(tiny_folder), *words]) == 2
    assert capsys.readouterr().err == f"inkwash: {line}\n"
