"""`inkwash spaces` as a user types it; the measuring itself is tested in ../show."""

from pathlib import Path

import pytest
from PIL import Image

from inkwash.cli.main import main
from inkwash.show import spaces
from inkwash.show.cost import Cost
from inkwash.show.spaces import Comparison, Room


def canned(size: int, *_: object) -> Comparison:
    step = Cost(10**9, 0.5, 10**7)
    return Comparison(size, 1, Room((3, size, size), step, None), Room((4, size // 8, size // 8), step, step))


def test_a_table_is_printed_and_bars_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(spaces, "compare", canned)
    out = tmp_path / "spaces.png"
    assert main(["spaces", "--size", "512", "--out", str(out)]) == 0
    *told, path = capsys.readouterr().out.splitlines()
    assert path == str(out)
    assert any("786,432" in line and "16,384" in line for line in told)
    with Image.open(out) as paper:
        assert paper.width > 1000


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--size", "100"], "size is 100, but must be a multiple of 8"),
        (["--size", "0"], "size is 0, but must be from 1 to 1024"),
        (["--size", "4096"], "size is 4096, but must be from 1 to 1024"),
    ],
)
def test_bad_wishes_get_one_line(
    tmp_path: Path, words: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["spaces", "--out", str(tmp_path / "s.png"), *words]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"inkwash: {line}"
