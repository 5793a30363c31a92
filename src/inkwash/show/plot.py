"""Curves in ink on paper: drawn too large and shrunk, so that lines are smooth."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

from PIL import Image, ImageDraw

from inkwash.show.canvas import FADED, INK, PAPER, RULE, Colour, write

FINER = 3
"""How many times larger curves are drawn before they are shrunk."""
WORDS = 13
"""Height of ticks and axis names in pixels; the title is larger."""


@dataclass(frozen=True)
class Curve:
    """A line through points; `filled` washes the area between it and the bottom instead."""

    xs: Sequence[float]
    ys: Sequence[float]
    colour: Colour = INK
    width: float = 1.6
    """In pixels."""
    opacity: float = 1.0
    filled: bool = False
    name: str = ""
    """What the legend calls it; empty leaves it out."""


@dataclass(frozen=True)
class Axis:
    """One direction of a plot: its name, its ends, and the values that are marked."""

    name: str = ""
    low: float = 0.0
    high: float = 1.0
    ticks: Sequence[tuple[float, str]] = ()

    def at(self, value: float) -> float:
        """`value` as a part of the way from `low` to `high`."""
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class Frame:
    """Where curves are drawn within a plot, in pixels."""

    left: int
    top: int
    width: int
    height: int


def plot(
    curves: Sequence[Curve],
    x: Axis,
    y: Axis,
    size: tuple[int, int] = (480, 320),
    title: str = "",
    ground: Image.Image | None = None,
) -> Image.Image:
    """Curves over two axes with title, ticks and a legend of the named ones: an RGB picture of `size` pixels.

    Later curves lie over earlier ones; parts outside the axes are cut off. `ground` is stretched under the curves,
    instead of the rulings.
    """
    frame = _frame(size, x, y, title)
    paper = Image.new("RGB", size, PAPER)
    _ruled(paper, frame, x, y)
    fine = (frame.width * FINER, frame.height * FINER)
    if ground is None:
        field = paper.crop((frame.left, frame.top, frame.left + frame.width, frame.top + frame.height))
        field = field.resize(fine, Image.Resampling.NEAREST)
    else:
        field = ground.convert("RGB").resize(fine, Image.Resampling.BICUBIC)
    for curve in curves:
        _inked(field, curve, x, y)
    paper.paste(field.resize((frame.width, frame.height), Image.Resampling.BOX), (frame.left, frame.top))
    _named(paper, frame, x, y, title)
    _legend(paper, frame, [curve for curve in curves if curve.name])
    return paper


def ticks(values: Sequence[float]) -> tuple[tuple[float, str], ...]:
    """Every value marked by itself: 0.5 as "0.5", 10.0 as "10"."""
    return tuple((value, f"{value:g}") for value in values)


def _frame(size: tuple[int, int], x: Axis, y: Axis, title: str) -> Frame:
    left = 14 + (44 if y.ticks else 0) + (18 if y.name else 0)
    top = 44 if title else 14
    bottom = 14 + (18 if x.ticks else 0) + (20 if x.name else 0)
    return Frame(left, top, size[0] - left - 14, size[1] - top - bottom)


def _ruled(paper: Image.Image, frame: Frame, x: Axis, y: Axis) -> None:
    draw = ImageDraw.Draw(paper)
    for value, _ in x.ticks:
        across = frame.left + round(x.at(value) * (frame.width - 1))
        draw.line([(across, frame.top), (across, frame.top + frame.height)], fill=RULE)
    for value, _ in y.ticks:
        down = frame.top + round((1 - y.at(value)) * (frame.height - 1))
        draw.line([(frame.left, down), (frame.left + frame.width, down)], fill=RULE)
    floor = frame.top + frame.height - 1
    draw.line([(frame.left, floor), (frame.left + frame.width, floor)], fill=FADED)


def _inked(field: Image.Image, curve: Curve, x: Axis, y: Axis) -> None:
    """Draw the curve on a mask no larger than itself: most of the time goes into mixing colours."""
    wide, high = field.size
    points = [(x.at(a) * (wide - 1), (1 - y.at(b)) * (high - 1)) for a, b in zip(curve.xs, curve.ys, strict=True)]
    if curve.filled:
        points = [(points[0][0], float(high)), *points, (points[-1][0], float(high))]
    pen = max(1, round(curve.width * FINER))
    left, right = _clipped([across for across, _ in points], pen, wide)
    top, bottom = _clipped([down for _, down in points], pen, high)
    if left >= right or top >= bottom:
        return
    mask = Image.new("L", (right - left, bottom - top), 0)
    moved = [(across - left, down - top) for across, down in points]
    if curve.filled:
        ImageDraw.Draw(mask).polygon(moved, fill=round(255 * curve.opacity))
    else:
        ImageDraw.Draw(mask).line(moved, fill=round(255 * curve.opacity), width=pen, joint="curve")
    field.paste(curve.colour, (left, top), mask)


def _clipped(values: Sequence[float], margin: int, end: int) -> tuple[int, int]:
    return max(0, floor(min(values)) - margin), min(end, ceil(max(values)) + margin)


def _named(paper: Image.Image, frame: Frame, x: Axis, y: Axis, title: str) -> None:
    floor = frame.top + frame.height
    if title:
        write(paper, (frame.left, 16), title, WORDS + 4, anchor="lt")
    for value, text in x.ticks:
        write(paper, (frame.left + round(x.at(value) * frame.width), floor + 6), text, WORDS, FADED, "mt")
    for value, text in y.ticks:
        down = frame.top + round((1 - y.at(value)) * frame.height)
        write(paper, (frame.left - 8, down), text, WORDS, FADED, "rm")
    if x.name:
        write(paper, (frame.left + frame.width // 2, paper.height - 8), x.name, WORDS, anchor="ms")
    if y.name:
        _upright(paper, frame, y.name)


def _upright(paper: Image.Image, frame: Frame, text: str) -> None:
    strip = Image.new("RGB", (frame.height, WORDS + 8), PAPER)
    write(strip, (strip.width // 2, strip.height // 2), text, WORDS, anchor="mm")
    paper.paste(strip.transpose(Image.Transpose.ROTATE_90), (4, frame.top))


def _legend(paper: Image.Image, frame: Frame, curves: Sequence[Curve]) -> None:
    draw = ImageDraw.Draw(paper)
    right = frame.left + frame.width - 8
    for row, curve in enumerate(curves):
        middle = frame.top + 12 + row * (WORDS + 6)
        draw.line([(right - 18, middle), (right, middle)], fill=curve.colour, width=3)
        write(paper, (right - 24, middle), curve.name, WORDS, INK, "rm")
