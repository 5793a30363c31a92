from pathlib import Path

import pytest
import torch

from inkwash.errors import DataError
from inkwash.training.captioning import caption_set, read_table
from inkwash.training.data import Pictures

GRAY = torch.full((2, 3, 20, 20), 120, dtype=torch.uint8)
PICTURES = Pictures(GRAY, ("000001", "b"), (("a photo of a pug dog",), ("a thing",)))
TABLE = "key,class,breed,coat\n000001,dog,pug,\nb,,,\n"


def table(tmp_path: Path, text: str = TABLE) -> Path:
    path = tmp_path / "metadata.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_set_is_captioned_by_key(tmp_path: Path) -> None:
    said = caption_set(PICTURES, read_table(table(tmp_path)))
    assert said.variants["000001"] == (
        "a photo of a pug dog",
        "a photo of a dog",
        "a pug dog",
        "a close-up photo of a pug dog",
        "a pug",
        "a photo of a pug dog on a gray background",
    )
    assert said.variants["b"] == ("a thing",)
    assert said.paraphrases["b"] == ()
    assert said.for_text()["000001"] == said.variants["000001"] + said.paraphrases["000001"]
    assert len(said.paraphrases["000001"]) > 2


def test_a_picture_outside_the_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="picture 000001"):
        caption_set(PICTURES, read_table(table(tmp_path, "key,class,breed,coat\nb,,,\n")))


@pytest.mark.parametrize(("text", "said"), [("key,class,breed\n1,cat,\n", "lacks the column coat"), ("", "lacks")])
def test_a_table_without_its_columns_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_table(table(tmp_path, text))


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot read"):
        read_table(tmp_path / "none.csv")
