"""Pictures with captions, from every layout that is read."""

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inkwash.errors import DataError
from inkwash.training.data import learned, read_pictures, square

BLUE, RED = (0, 0, 255), (255, 0, 0)


def png(colour: tuple[int, ...], size: tuple[int, int] = (6, 4)) -> bytes:
    file = io.BytesIO()
    Image.new("RGBA" if len(colour) == 4 else "RGB", size, colour).save(file, "PNG")
    return file.getvalue()


def tar_of(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def test_a_folder_with_captions_beside_the_pictures(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "b.png").write_bytes(png(BLUE))
    (tmp_path / "b.txt").write_text("a blue thing\n\na cold thing\n")
    (tmp_path / "deep" / "a.png").write_bytes(png(RED))
    found = read_pictures(tmp_path, 4)
    assert found.keys == ("b", "deep/a")
    assert found.captions == (("a blue thing", "a cold thing"), ("",))
    assert found.pixels[:, :, 2, 2].tolist() == [list(BLUE), list(RED)]


@pytest.mark.parametrize("layout", ["jsonl", "csv"])
def test_a_hugging_face_image_folder(tmp_path: Path, layout: str) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "x.png").write_bytes(png(BLUE))
    row = {"file_name": "train/x.png", "text": "a blue, square thing"}
    if layout == "jsonl":
        (tmp_path / "metadata.jsonl").write_text(json.dumps(row) + "\n")
    else:
        (tmp_path / "metadata.csv").write_text('file_name,text\ntrain/x.png,"a blue, square thing"\n')
    assert read_pictures(tmp_path, 4).captions == (("a blue, square thing",),)


def test_webdataset_tars_in_order(tmp_path: Path) -> None:
    tar_of(tmp_path / "b.tar", {"s/2.png": png(RED), "s/2.json": b'{"caption": "red"}'})
    tar_of(tmp_path / "a.tar", {"0.txt": b"blue", "0.png": png(BLUE), "0.cls": b"7", "1.cls": b"1", "1.PNG": png(RED)})
    found = read_pictures(tmp_path, 4)
    assert found.keys == ("0", "1", "s/2")
    assert found.captions == (("blue",), ("",), ("red",))


def test_captions_of_a_json_go_first(tmp_path: Path) -> None:
    tar = tar_of(tmp_path / "a.tar", {"0.txt": b"blue", "0.png": png(BLUE), "1.txt": b"red", "1.png": png(RED)})
    (tmp_path / "captions.json").write_text('{"0": ["a sea", "a sky"]}')
    assert read_pictures(tar, 4, tmp_path / "captions.json").captions == (("a sea", "a sky"), ("red",))


def test_a_broken_picture_is_told_and_left_out(tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / "a.png").write_bytes(png(BLUE))
    (tmp_path / "b.png").write_bytes(png(RED)[:40])
    assert read_pictures(tmp_path, 4, warn=said.append).keys == ("a",)
    assert len(said) == 1
    assert "b.png" in said[0]


def test_a_tar_cut_short_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    said: list[str] = []
    tar = tar_of(tmp_path / "a.tar", {"0.png": png(BLUE), "1.png": png(RED)})
    tar.write_bytes(tar.read_bytes()[:1600])
    assert read_pictures(tar, 4, warn=said.append).keys == ("0",)
    assert said


def test_nothing_to_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no readable pictures"):
        read_pictures(tmp_path, 4)
    with pytest.raises(DataError, match="does not exist"):
        read_pictures(tmp_path / "away", 4)
    (tmp_path / "a.png").write_bytes(png(BLUE))
    (tmp_path / "metadata.jsonl").write_text("{")
    with pytest.raises(DataError, match="cannot read the captions"):
        read_pictures(tmp_path, 4)


def test_the_middle_square_is_kept_and_what_is_clear_becomes_white() -> None:
    wide = Image.new("RGB", (8, 4), RED)
    wide.paste(BLUE, (2, 0, 6, 4))
    assert (square(wide, 4) == np.array(BLUE)[:, None, None]).all()
    assert (square(Image.new("RGBA", (4, 4), (9, 9, 9, 0)), 2) == 255).all()


def test_every_so_manieth_number_is_held_out(tmp_path: Path) -> None:
    tar = tar_of(tmp_path / "a.tar", {f"{number:03d}.png": png(BLUE) for number in (3, 4, 6, 7, 9)})
    pictures = read_pictures(tar, 4)
    assert learned(pictures, 3) == ((1, 3), (0, 2, 4))
    assert learned(pictures, 0) == ((0, 1, 2, 3, 4), ())
    with pytest.raises(DataError, match="too few"):
        learned(pictures, 1)
