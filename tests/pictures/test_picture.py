from io import BytesIO
from pathlib import Path

import pytest
import torch
from PIL import Image

from inkwash.errors import OutputError
from inkwash.pictures.picture import PAPER, even_columns, grid, images_of, pixels_of, png, save


def test_every_byte_survives_pixels() -> None:
    image = Image.fromarray(torch.arange(256 * 3).remainder(256).reshape(16, 16, 3).to(torch.uint8).numpy())
    pixels = pixels_of([image, image])
    assert (pixels.shape, pixels.min().item(), pixels.max().item()) == ((2, 3, 16, 16), -1.0, 1.0)
    assert [found.tobytes() for found in images_of(pixels)] == [image.tobytes()] * 2


def test_black_grey_white_and_beyond() -> None:
    levels = torch.tensor([-9.0, -1.0, 0.0, 1.0, 9.0]).reshape(1, 1, 1, 5).expand(1, 3, 1, 5)
    (image,) = images_of(levels)
    assert [image.getpixel((x, 0))[0] for x in range(5)] == [0, 0, 128, 255, 255]


def test_png_carries_notes_in_any_script_and_is_the_same_twice() -> None:
    notes = {"parameters": "a café\nSteps: 3", "inkwash": '{"prompt":"画一只猫 🐈"}'}
    image = Image.new("RGB", (8, 8), "red")
    data = png(image, notes)
    assert png(image, notes) == data
    read = Image.open(BytesIO(data))
    assert {key: read.info[key] for key in notes} == notes
    assert b"tIME" not in data


def test_grid_puts_pictures_in_rows() -> None:
    colours = [(n, n, n) for n in range(5)]
    paper = grid([Image.new("RGB", (10, 20), colour) for colour in colours], gap=2)
    assert paper.size == (2 + 3 * 12, 2 + 2 * 22)
    assert [paper.getpixel((2 + n % 3 * 12, 2 + n // 3 * 22)) for n in range(5)] == colours
    assert paper.getpixel((0, 0)) == paper.getpixel((30, 30)) == PAPER


@pytest.mark.parametrize(
    ("count", "columns"), [(1, 1), (2, 2), (3, 3), (4, 2), (5, 3), (6, 3), (7, 3), (8, 4), (9, 3), (12, 4), (16, 4)]
)
def test_sheets_are_full_and_rather_square(count: int, columns: int) -> None:
    assert even_columns(count) == columns


def test_grid_of_one_row() -> None:
    assert grid([Image.new("RGB", (10, 10))] * 4, columns=4, gap=0).size == (40, 10)
    assert grid([Image.new("RGB", (10, 10))], gap=0).size == (10, 10)


def test_saving_never_replaces_unless_told(tmp_path: Path) -> None:
    save(tmp_path / "a.png", b"1")
    with pytest.raises(OutputError):
        save(tmp_path / "a.png", b"2")
    save(tmp_path / "a.png", b"2", overwrite=True)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"2"]
