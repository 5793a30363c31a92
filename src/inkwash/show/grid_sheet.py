"""A sheet of a grid: pictures in rows and columns, with what changes written at the edges."""

from collections.abc import Sequence
from dataclasses import replace

from PIL import Image

from inkwash.metadata.record import CHUNK, Record
from inkwash.metadata.script import script
from inkwash.pictures.picture import png
from inkwash.pipeline.painting import Painting
from inkwash.show.canvas import INK, PAPER, fitted, stacked, text_width, write

SIZE, GAP = 14, 6
WIDEST = 240
"""Pixels that labels beside rows may take."""


def grid_file(paintings: Sequence[Painting], record: Record) -> tuple[Image.Image, bytes]:
    """The sheet of a grid whose `record` knows its sides, and its PNG file.

    The first picture's settings and the sides are noted as the web UI does it; the record repaints it all.
    """
    whole = grid_sheet([painting.image for painting in paintings], [side.labels for side in record.sides])
    first = replace(paintings[0], settings={**paintings[0].settings, **script(record.sides)})
    return whole, png(whole, {"parameters": first.parameters, CHUNK: record.note()})


def grid_sheet(pictures: Sequence[Image.Image], labels: Sequence[Sequence[str]]) -> Image.Image:
    """`pictures`, of which the first of `labels` changes fastest: columns, then rows, then tables under each other."""
    across, down, deep = (labels[side] if side < len(labels) else ("",) for side in range(3))
    each = len(across) * len(down)
    tables = [
        _table(pictures[index * each : (index + 1) * each], across, down, title) for index, title in enumerate(deep)
    ]
    return stacked(tables, gap=2 * GAP)


def _table(pictures: Sequence[Image.Image], across: Sequence[str], down: Sequence[str], title: str) -> Image.Image:
    wide, high = (max(picture.size[axis] for picture in pictures) for axis in (0, 1))
    left = min(max(text_width(label, SIZE) for label in down), WIDEST)
    left, line = left + 2 * GAP if left else GAP, round(SIZE * 1.8)
    head, top = line if title else 0, line if any(across) else GAP
    paper = Image.new("RGB", (left + len(across) * (wide + GAP), head + top + len(down) * (high + GAP)), PAPER)
    write(paper, (left, head // 2), fitted(title, paper.width - left, SIZE), SIZE, INK, "lm")
    for column, label in enumerate(across):
        place = left + column * (wide + GAP) + wide // 2, head + top // 2
        write(paper, place, fitted(label, wide, SIZE), SIZE, INK, "mm")
    for row, label in enumerate(down):
        y = head + top + row * (high + GAP)
        write(paper, (left - GAP, y + high // 2), fitted(label, left - 2 * GAP, SIZE), SIZE, INK, "rm")
        for column in range(len(across)):
            picture = pictures[row * len(across) + column]
            x = left + column * (wide + GAP)
            paper.paste(picture, (x + (wide - picture.width) // 2, y + (high - picture.height) // 2))
    return paper
