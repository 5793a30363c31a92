"""The sheet of `inkwash explain`: a row for each step, a column for each thing to see."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from inkwash.show.canvas import FADED, INK, PAPER, RULE, RUST, fitted, write
from inkwash.show.explain import Explanation, Moment, Move, Word

CELL, GAP, BREAK, MARGIN = 168, 12, 28, 28
GUTTER = 128
"""Room at the left for the step."""
HEAD = 216
"""Room at the top for the prompt, the picture and the names of columns."""
FOOT = 40
"""Room under a cell for its number."""
ASIDE = 0.6
"""How far a picture fades to paper under a heat map."""


@dataclass(frozen=True)
class Cell:
    """A picture with a name over its column and a number under it; None stays empty paper."""

    column: str
    picture: Image.Image | None
    number: str
    opens: bool = False
    """Whether it begins a new group of columns."""


def explained(found: Explanation) -> Image.Image:
    """All moments of a painting on one sheet: an RGB picture."""
    rows = [cells(moment) for moment in found.moments]
    lefts = _lefts(rows[0])
    paper = Image.new("RGB", (lefts[-1] + CELL + MARGIN, HEAD + len(rows) * (CELL + FOOT) + MARGIN // 2), PAPER)
    _head(paper, found, rows[0], lefts)
    for index, (moment, row) in enumerate(zip(found.moments, rows, strict=True)):
        top = HEAD + index * (CELL + FOOT)
        _gutter(paper, top, moment, found.steps)
        for cell, left in zip(row, lefts, strict=True):
            _place(paper, (left, top), cell)
    return paper


def cells(moment: Moment) -> list[Cell]:
    """A row of the sheet."""
    looks = [
        Cell(f"“{word.word}”", washed(moment.clean, word), f"{100 * word.looks.mean().item():.1f} %", opens=index == 0)
        for index, word in enumerate(moment.words)
    ]
    return [
        Cell("noisy latents", moment.noisy, f"SNR {round(moment.decibels):+d} dB"),
        Cell("predicted noise", moment.noise.picture, _far(moment.noise)),
        Cell("predicted clean", moment.clean, ""),
        Cell("drift", moment.drift.picture, _far(moment.drift), opens=True),
        Cell("random move", moment.random.picture, _far(moment.random)),
        *looks,
    ]


def washed(picture: Image.Image, word: Word) -> Image.Image:
    """Rust where places looked at the word most, over the faded picture; the least and the most fill the scale."""
    shares = word.looks.float().numpy()
    low, high = shares.min(), shares.max()
    depth = (shares - low) / max(high - low, 1e-9)
    paper = Image.new("RGB", picture.size, PAPER)
    faded = Image.blend(picture.convert("L").convert("RGB"), paper, ASIDE)
    faded.paste(RUST, mask=Image.fromarray((depth**1.5 * 235).astype(np.uint8)))
    return faded


def _lefts(row: Sequence[Cell]) -> list[int]:
    lefts, left = [], MARGIN + GUTTER
    for cell in row:
        left += BREAK if cell.opens else 0
        lefts.append(left)
        left += CELL + GAP
    return lefts


def _head(paper: Image.Image, found: Explanation, row: Sequence[Cell], lefts: Sequence[int]) -> None:
    asked = found.painting.request
    right = paper.width - MARGIN
    side = HEAD - 76
    picture = found.painting.image.resize((side, side), Image.Resampling.LANCZOS)
    paper.paste(picture, (right - side, MARGIN - 8))
    room = right - side - 2 * MARGIN
    write(paper, (MARGIN, 50), fitted(asked.prompt, room, 34), 34, INK, "lm")
    facts = f"{asked.sampler}, {found.steps} steps, guidance {asked.guidance:g}, seed {asked.seed}"
    write(paper, (MARGIN, 90), fitted(f"{found.painting.model}: {facts}", room, 19), 19, FADED, "lm")
    write(paper, (MARGIN, 118), fitted("noisy after = noisy before + drift + random move", room, 19), 19, FADED, "lm")
    for cell, left in zip(row, lefts, strict=True):
        write(paper, (left + CELL // 2, HEAD - 16), fitted(cell.column, CELL, 20), 20, INK, "mm")
    looked = next((left for cell, left in zip(row[5:], lefts[5:], strict=True)), None)
    if looked is not None and looked + 3 * CELL < right - side:
        write(paper, (looked, HEAD - 44), "where each word was looked at", 17, FADED, "lm")


def _gutter(paper: Image.Image, top: int, moment: Moment, steps: int) -> None:
    ImageDraw.Draw(paper).line([(MARGIN, top), (MARGIN + GUTTER - 20, top)], fill=RULE)
    write(paper, (MARGIN, top + 26), f"step {moment.number}", 22, INK, "lm")
    write(paper, (MARGIN, top + 50), f"of {steps}", 17, FADED, "lm")
    write(paper, (MARGIN, top + 82), f"t {moment.t:.0f}", 17, FADED, "lm")
    write(paper, (MARGIN, top + 106), f"σ {moment.sigma:.3g}", 17, FADED, "lm")


def _place(paper: Image.Image, place: tuple[int, int], cell: Cell) -> None:
    left, top = place
    if cell.picture is None:
        ImageDraw.Draw(paper).rectangle((left, top, left + CELL - 1, top + CELL - 1), outline=RULE)
        write(paper, (left + CELL // 2, top + CELL // 2), "none", 17, FADED, "mm")
    else:
        paper.paste(cell.picture.resize((CELL, CELL), Image.Resampling.LANCZOS), place)
    write(paper, (left + CELL // 2, top + CELL + 14), cell.number, 16, FADED, "mm")


def _far(move: Move) -> str:
    return f"length {move.length:.3g}" if move.length < 1000 else f"length {move.length:,.0f}"
