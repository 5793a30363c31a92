import shutil
from pathlib import Path

import pytest
import torch

from inkwash.errors import DataError
from inkwash.evaluation.reals import breeds, held_out, metadata, training


def test_held_out_and_training_share_nothing_and_are_all(data: Path) -> None:
    held, known = held_out(data), training(data)
    assert [about.key for about in held.about] == [f"{n:06}" for n in range(0, 240, 20)]
    assert len(held) + len(known) == 240
    assert not {about.key for about in held.about} & {about.key for about in known.about}


def test_pictures_belong_to_their_captions(data: Path) -> None:
    photos = training(data)
    assert photos.pictures.shape == (228, 3, 16, 16)
    means = photos.pictures.float().mean((2, 3))
    assert means[photos.rows(lambda about: about.species == "cat")].max() < 90
    pugs = means[photos.rows(lambda about: about.breed == "pug")]
    assert bool((pugs[:, 0] > pugs[:, 1]).all())


def test_rows_and_pieces(data: Path) -> None:
    photos = held_out(data)
    part = photos[[2, 0]]
    assert [about.key for about in part.about] == ["000040", "000000"]
    assert torch.equal(part.pictures[1], photos.pictures[0])


def test_breeds_with_enough_pictures_come_with_their_caption(data: Path) -> None:
    assert breeds(metadata(data)) == {"beagle": "a photo of a beagle dog", "pug": "a photo of a pug dog"}
    assert breeds(metadata(data), at_least=61) == {}


def test_what_cannot_be_read_is_told_in_a_line(data: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"metadata\.csv"):
        metadata(tmp_path)
    shutil.copy(data / "metadata.csv", tmp_path)
    with pytest.raises(DataError, match="lacks the pictures of 12 of the 12"):
        held_out(tmp_path)
    (tmp_path / "broken.tar").write_bytes(b"not a tar at all" * 100)
    with pytest.raises(DataError, match=r"broken\.tar"):
        held_out(tmp_path)
    (tmp_path / "metadata.csv").write_text("key,class\n0,cat\n")
    with pytest.raises(DataError, match="no column"):
        metadata(tmp_path)
