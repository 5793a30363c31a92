import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inkwash.errors import InvalidRequest
from inkwash.pictures.photo import fitted, opened, read_mask, read_photo, rgb


def ramp(width: int = 16, height: int = 8) -> Image.Image:
    row = np.linspace(0, 255, width).astype(np.uint8)
    return Image.fromarray(np.stack([np.tile(row, (height, 1))] * 3, axis=-1))


def kept(tmp_path: Path, image: Image.Image, name: str, **options: object) -> Path:
    image.save(tmp_path / name, **options)
    return tmp_path / name


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.bmp", "a.jpg", "a.gif"])
def test_common_formats_become_rgb(tmp_path: Path, name: str) -> None:
    photo = read_photo(kept(tmp_path, ramp(), name))
    assert (photo.mode, photo.size) == ("RGB", (16, 8))
    assert np.abs(np.asarray(photo, dtype=int) - np.asarray(ramp(), dtype=int)).max() < 40


def test_transparency_is_laid_on_white_and_hides_what_is_under_it() -> None:
    clear = Image.new("RGBA", (2, 1), (255, 0, 0, 0))
    assert rgb(clear).getpixel((0, 0)) == (255, 255, 255)
    assert rgb(Image.new("LA", (1, 1), (0, 128))).getpixel((0, 0)) == (127, 127, 127)


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    deep = Image.fromarray(np.linspace(0, 65535, 256).astype(np.uint16)[None])
    found = np.asarray(rgb(deep))[0, :, 0].astype(int)
    assert np.abs(found - np.arange(256)).max() <= 1


def test_photos_are_turned_upright(tmp_path: Path) -> None:
    lying = Image.new("RGB", (4, 2), "black")
    lying.putpixel((0, 0), (255, 255, 255))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees to the right
    upright = read_photo(kept(tmp_path, lying, "a.png", exif=exif))
    assert upright.size == (2, 4)
    assert upright.getpixel((1, 0)) == (255, 255, 255)


def test_of_a_film_the_first_frame(tmp_path: Path) -> None:
    first, second = Image.new("RGB", (4, 4), "red"), Image.new("RGB", (4, 4), "blue")
    path = kept(tmp_path, first, "a.webp", save_all=True, append_images=[second], lossless=True)
    assert read_photo(path).getpixel((0, 0)) == (255, 0, 0)  # (254, 0, 0) would be lossy


def test_masks_are_grey(tmp_path: Path) -> None:
    assert read_mask(kept(tmp_path, Image.new("RGB", (2, 2), "white"), "m.png")).getextrema() == (255, 255)


def test_fitting_covers_and_cuts_evenly() -> None:
    wide = Image.new("RGB", (30, 10), "black")
    wide.paste("white", (10, 0, 20, 10))
    assert fitted(wide, (10, 10)).getextrema()[0] == (255, 255)
    assert fitted(wide, (30, 10)) is wide


def bomb(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def broken(format: str) -> bytes:
    out = BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(out, format)
    return out.getvalue()[: len(out.getvalue()) // 2]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "a picture \\(PNG, JPEG"),
        (b"<html>", "a picture \\(PNG, JPEG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "a picture \\(PNG, JPEG"),
        (bomb(20_000, 20_000), "at most 50 million pixels"),
        (bomb(8000, 6000), "broken"),
        (broken("PNG"), "broken"),
        (broken("JPEG"), "broken"),
        (broken("WEBP"), "a (whole )?picture"),
        (broken("GIF"), "broken"),
        (broken("BMP"), "broken"),
    ],
)
def test_what_is_no_whole_picture_is_refused_in_one_line(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(data)
    with pytest.raises(InvalidRequest, match=message) as raised:
        read_photo(path)
    assert raised.value.field == "image"
    assert "\n" not in str(raised.value)


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="No such file"):
        opened(tmp_path / "a.png", "mask")
    with pytest.raises(InvalidRequest, match="Is a directory"):
        opened(tmp_path, "mask")
