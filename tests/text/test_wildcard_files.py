from pathlib import Path

import pytest

from inkwash.errors import InvalidRequest
from inkwash.text.wildcard_files import read_wildcards


def test_files_are_known_by_their_path_without_suffix(tmp_path: Path) -> None:
    (tmp_path / "animals").mkdir()
    (tmp_path / "animals" / "cats.txt").write_text("\ufeff# remark\nSiamese\n\n  tabby \n", encoding="utf-8")
    (tmp_path / "猫.txt").write_text("画", encoding="utf-8")
    (tmp_path / "notes.md").write_text("no")
    assert read_wildcards(tmp_path) == {"animals/cats": ("Siamese", "tabby"), "猫": ("画",)}


def test_what_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="a folder with"):
        read_wildcards(tmp_path / "none")
    (tmp_path / "bad.txt").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(InvalidRequest, match="a text file in UTF-8"):
        read_wildcards(tmp_path)
