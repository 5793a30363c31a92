"""Pictures that others made: read with suspicion, turned upright, made RGB, cut to size."""

import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from inkwash.errors import InvalidRequest

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
LARGEST_FILE = 256 * 2**20
MOST_PIXELS = 50_000_000
Size = tuple[int, int]


def read_photo(path: Path, field: str = "image") -> Image.Image:
    """Any picture as upright RGB on white; of a film, the first frame.

    Raises InvalidRequest naming `field` if there is no such file, or it is broken, too large, or no picture.
    """
    return rgb(opened(path, field))


def read_mask(path: Path, field: str = "mask") -> Image.Image:
    """A picture as greys ("L").  Raises InvalidRequest as `read_photo` does."""
    return rgb(opened(path, field)).convert("L")


def opened(path: Path, field: str) -> Image.Image:
    """A decoded, upright picture in its own mode, with its notes (`info`, `text`)."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise InvalidRequest(field, str(path), f"a picture of at most {LARGEST_FILE // 2**20} MB")
        return _decoded(path.read_bytes(), str(path), field)
    except OSError as error:
        raise InvalidRequest(field, str(path), f"a picture that can be read ({error.strerror})") from None


def rgb(image: Image.Image) -> Image.Image:
    """Transparency laid on white, 16 bits scaled to 8, everything else as Pillow converts it."""
    if image.mode.startswith("I") or image.mode == "F":
        numbers = np.asarray(image, dtype=np.float64)
        scale = 255 / 65535 if numbers.max(initial=0) > 255 else 1.0  # Pillow itself would clip instead
        image = Image.fromarray((numbers * scale).round().clip(0, 255).astype(np.uint8))
    if image.has_transparency_data:
        over = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
    return image.convert("RGB")


def fitted(image: Image.Image, size: Size) -> Image.Image:
    """Scaled until it covers `size`, the rest cut off evenly; untouched if it has that size."""
    return image if image.size == size else ImageOps.fit(image, size, Image.Resampling.LANCZOS)


def _decoded(data: bytes, name: str, field: str) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Pillow grumbles about is refused or harmless
            image = Image.open(BytesIO(data), formats=FORMATS)
            if image.width * image.height > MOST_PIXELS:
                raise _too_large(name, field)
            image.load()
            return ImageOps.exif_transpose(image)
    except Image.DecompressionBombError:
        raise _too_large(name, field) from None
    except UnidentifiedImageError:
        raise InvalidRequest(field, name, f"a picture ({', '.join(FORMATS)})") from None
    except (OSError, ValueError, SyntaxError, EOFError, IndexError) as error:
        raise InvalidRequest(field, name, f"a whole picture, but it is broken ({error})") from None


def _too_large(name: str, field: str) -> InvalidRequest:
    return InvalidRequest(field, name, f"a picture of at most {MOST_PIXELS // 10**6} million pixels")
