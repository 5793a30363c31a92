"""Pictures in the terminal: kitty's protocol where it is spoken, else half blocks in 24-bit colour."""

import base64
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from typing import Literal

from PIL import Image

from inkwash.pictures.picture import grid

Kind = Literal["auto", "blocks", "kitty", "off"]
CHUNK = 4096
KITTY_TERMINALS = ("kitty", "ghostty", "wezterm")


def show(images: Sequence[Image.Image], wanted: Kind, columns: int = 72) -> None:
    """Draw pictures on standard error, on one sheet if there are several, at most `columns` characters wide."""
    kind = spoken(os.environ, sys.stderr.isatty()) if wanted == "auto" else wanted
    if kind == "off" or not images:
        return
    picture = images[0] if len(images) == 1 else grid(images)
    sys.stderr.writelines(kitty(picture) if kind == "kitty" else blocks(picture, columns))
    sys.stderr.flush()


def spoken(environment: Mapping[str, str], terminal: bool) -> Kind:
    """What a terminal understands, from what it says of itself; NO_COLOR is heard."""
    if not terminal or environment.get("NO_COLOR") or environment.get("TERM") in (None, "", "dumb"):
        return "off"
    name = f"{environment.get('TERM')} {environment.get('TERM_PROGRAM', '')}".lower()
    if "KITTY_WINDOW_ID" in environment or any(known in name for known in KITTY_TERMINALS):
        return "kitty"
    return "blocks" if environment.get("COLORTERM", "").lower() in ("truecolor", "24bit") else "off"


def blocks(picture: Image.Image, columns: int) -> Iterator[str]:
    """Lines of half blocks: each character is two pixels, the upper its ink, the lower its paper."""
    width = min(columns, picture.width)
    height = max(2, round(picture.height * width / picture.width / 2) * 2)
    small = picture.convert("RGB").resize((width, height), Image.Resampling.BOX)
    colours = list(small.get_flattened_data())
    for top in range(0, height, 2):
        above, below = (colours[row * width : (row + 1) * width] for row in (top, top + 1))
        cells = (f"\x1b[38;2;{_rgb(up)};48;2;{_rgb(low)}m▀" for up, low in zip(above, below, strict=True))
        yield "".join(cells) + "\x1b[0m\n"


def kitty(picture: Image.Image) -> Iterator[str]:
    """A PNG in pieces, as kitty's graphics protocol wants it."""
    data = BytesIO()
    picture.save(data, "PNG")
    text = base64.standard_b64encode(data.getvalue()).decode()
    pieces = [text[place : place + CHUNK] for place in range(0, len(text), CHUNK)]
    for number, piece in enumerate(pieces):
        head = "a=T,f=100," if number == 0 else ""
        yield f"\x1b_G{head}m={int(number < len(pieces) - 1)};{piece}\x1b\\"
    yield "\n"


def _rgb(colour: object) -> str:
    assert isinstance(colour, tuple)  # noqa: S101  the picture is RGB
    return ";".join(map(str, colour))
