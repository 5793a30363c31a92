"""Pictures on labelled sheets: the paper, the words and the layout, with Pillow alone."""

from collections.abc import Sequence
from math import ceil

from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]

PAPER: Colour = (250, 247, 241)
INK: Colour = (34, 40, 56)
FADED: Colour = (132, 136, 148)
RULE: Colour = (222, 217, 207)
INDIGO: Colour = (52, 86, 148)
RUST: Colour = (190, 92, 58)
MOSS: Colour = (96, 128, 92)

SPELT = str.maketrans({"σ": "sigma", "ε": "eps", "×": "x", "−": "-", "→": "to", "²": "^2", "—": "-", "–": "-"})
"""Pillow's own typeface has no Greek: these are written out instead of shown as boxes."""


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own typeface (Latin only), `size` pixels high."""
    return ImageFont.load_default(size)


def text_width(text: str, size: int) -> int:
    """Pixels that `text` takes on one line."""
    return ceil(font(size).getlength(text.translate(SPELT)))


def write(
    paper: Image.Image, place: tuple[int, int], text: str, size: int, colour: Colour = INK, anchor: str = "lt"
) -> None:
    """Put words on a picture; `anchor` is Pillow's: l, m, r across and t, m, b, s (baseline) down."""
    ImageDraw.Draw(paper).text(place, text.translate(SPELT), fill=colour, font=font(size), anchor=anchor)


def fitted(text: str, width: int, size: int) -> str:
    """`text`, cut with an ellipsis where it would be wider than `width` pixels."""
    text = text.translate(SPELT)
    if text_width(text, size) <= width:
        return text
    keep = next((n for n in range(len(text), 0, -1) if text_width(text[:n].rstrip() + "…", size) <= width), 0)
    return text[:keep].rstrip() + "…"


def label(text: str, width: int, size: int = 14, colour: Colour = INK, paper: Colour = PAPER) -> Image.Image:
    """A strip `width` pixels wide with centred words; every line of `text` is cut where it would not fit."""
    lines = text.split("\n")
    leading = round(size * 1.4)
    strip = Image.new("RGB", (width, leading * len(lines) + size // 2), paper)
    for row, line in enumerate(lines):
        write(strip, (width // 2, round(leading * (row + 0.65))), fitted(line, width, size), size, colour, "mm")
    return strip


def sheet(
    pictures: Sequence[Image.Image],
    columns: int,
    labels: Sequence[str] = (),
    *,
    title: str = "",
    size: int = 14,
    gap: int = 12,
) -> Image.Image:
    """Pictures in rows of `columns` with a label (or none) under each: an RGB picture.

    Cells are as large as the largest picture and its label; smaller pictures stand in the middle. `size` is the
    height of the labels in pixels, `gap` the space between cells. Labels may be fewer than pictures, and empty.
    """
    if not pictures:
        raise ValueError("a sheet needs at least one picture")
    wide, high = (max(picture.size[axis] for picture in pictures) for axis in (0, 1))
    strips = [label(text, wide, size) if text else None for text in labels]
    foot = max((strip.height for strip in strips if strip), default=0)
    columns = min(columns, len(pictures))
    rows, head = ceil(len(pictures) / columns), round(size * 3) if title else 0
    paper = Image.new("RGB", (gap + columns * (wide + gap), gap + head + rows * (high + foot + gap)), PAPER)
    if title:
        write(
            paper,
            (gap, gap + head // 2),
            fitted(title, paper.width - 2 * gap, round(size * 1.5)),
            round(size * 1.5),
            anchor="lm",
        )
    for index, picture in enumerate(pictures):
        left = gap + index % columns * (wide + gap)
        top = gap + head + index // columns * (high + foot + gap)
        paper.paste(picture.convert("RGB"), (left + (wide - picture.width) // 2, top + (high - picture.height) // 2))
        strip = strips[index] if index < len(strips) else None
        if strip:
            paper.paste(strip, (left, top + high))
    return paper


def stacked(parts: Sequence[Image.Image], gap: int = 12, margin: int = 0) -> Image.Image:
    """Pictures under each other, flush left, on one piece of paper."""
    width = max(part.width for part in parts) + 2 * margin
    paper = Image.new("RGB", (width, sum(part.height for part in parts) + gap * (len(parts) - 1) + 2 * margin), PAPER)
    top = margin
    for part in parts:
        paper.paste(part.convert("RGB"), (margin, top))
        top += part.height + gap
    return paper


def beside(parts: Sequence[Image.Image], gap: int = 12) -> Image.Image:
    """Pictures next to each other, flush at the top, on one piece of paper."""
    width = sum(part.width for part in parts) + gap * (len(parts) - 1)
    paper = Image.new("RGB", (width, max(part.height for part in parts)), PAPER)
    left = 0
    for part in parts:
        paper.paste(part.convert("RGB"), (left, 0))
        left += part.width + gap
    return paper
