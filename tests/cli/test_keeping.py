"""Where commands put their pictures: never over another file unless allowed."""

from pathlib import Path

import pytest

from inkwash.cli.keeping import kept, ready
from inkwash.errors import InvalidRequest, OutputError


def test_what_is_taken_gets_a_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.png"
    places = [kept(path, bytes([n]), overwrite=False) for n in range(3)]
    assert [place.name for place in places] == ["a.png", "a-1.png", "a-2.png"]
    assert [place.read_bytes() for place in places] == [b"\0", b"\1", b"\2"]
    assert capsys.readouterr().out.splitlines() == [str(place) for place in places]


def test_overwriting_is_allowed_on_request(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    kept(path, b"old", overwrite=False)
    assert kept(path, b"new", overwrite=True) == path
    assert path.read_bytes() == b"new"


def test_the_folder_is_made_before_the_work(tmp_path: Path) -> None:
    ready(tmp_path / "far" / "away" / "a.PNG")
    assert (tmp_path / "far" / "away").is_dir()


def test_a_place_that_cannot_be_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"cannot write into .*: it is no folder"):
        ready(tmp_path / "file" / "a.png")
    with pytest.raises(InvalidRequest, match=r"out is .*a name that ends in \.png"):
        ready(tmp_path / "a.jpg")
