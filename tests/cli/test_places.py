from pathlib import Path

import pytest

from inkwash.cli.places import Places, slug
from inkwash.errors import InvalidRequest, OutputError


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("a photo of a beagle dog", "a-photo-of-a-beagle-dog"),
        ("A Cat, sleeping!  (4k)", "a-cat-sleeping-4k"),
        ("画一只猫", "画一只猫"),
        ("../../etc/passwd", "etc-passwd"),
        ("🐈", "painting"),
        ("", "painting"),
        ("x" * 200, "x" * 60),
    ],
)
def test_names_tell_what_pictures_show(prompt: str, name: str) -> None:
    assert slug(prompt) == name


def test_pictures_of_one_prompt_are_numbered(tmp_path: Path) -> None:
    places = Places(tmp_path)
    for data in (b"0", b"1", b"2"):
        places.picture("a cat", data)
    assert [path.name for path in places.written] == ["a-cat.png", "a-cat-1.png", "a-cat-2.png"]


def test_what_was_there_is_kept_unless_overwriting_and_own_pictures_always(tmp_path: Path) -> None:
    (tmp_path / "a-cat.png").write_bytes(b"old")
    Places(tmp_path).picture("a cat", b"new")
    assert (tmp_path / "a-cat.png").read_bytes() == b"old"
    places = Places(tmp_path, overwrite=True)
    places.picture("a cat", b"first")
    places.picture("a cat", b"second")
    assert (tmp_path / "a-cat.png").read_bytes() == b"first"
    assert (tmp_path / "a-cat-2.png").read_bytes() == b"second"


def test_the_user_may_name_file_folder_and_sheet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for places in (Places(tmp_path / "deep/cat.png"), Places(tmp_path / "folder"), Places(Path(), tmp_path / "s.png")):
        places.check()
    Places(tmp_path / "deep/cat.png").picture("ignored", b"")
    Places(tmp_path / "folder").picture("a cat", b"")
    sheet = Places(Path(), tmp_path / "s.png")
    sheet.whole(b"")
    sheet.film("a cat", b"")
    sheet.tell()
    assert capsys.readouterr().out == f"{tmp_path}/s.png\n{tmp_path}/s.webp\n"
    assert (tmp_path / "deep/cat.png").exists()
    assert (tmp_path / "folder/a-cat.png").exists()


def test_names_of_other_formats_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"out is .*, but must be a \.png, or for --out a folder"):
        Places(tmp_path / "cat.jpg").check()
    with pytest.raises(InvalidRequest, match="sheet is"):
        Places(tmp_path, tmp_path / "cat.jpg").check()


def test_places_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError):
        Places(tmp_path / "file/below").check()
    with pytest.raises(OutputError):
        Places(Path("/proc/nowhere/cat.png")).check()
