"""The comparison of `inkwash spaces` as a table and as bars."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from inkwash.show.canvas import FADED, INDIGO, INK, PAPER, RULE, RUST, Colour, write
from inkwash.show.spaces import Comparison

WIDTH, MARGIN, HEAD, BLOCK, BAR = 1120, 36, 148, 122, 30
LEFT, LONGEST = 240, 520
"""Where bars begin, behind the name, and how long they get."""
COLOURS: tuple[Colour, Colour] = (RUST, INDIGO)
"""Of pixels and of latents."""


@dataclass(frozen=True)
class Line:
    """One quantity in both spaces."""

    name: str
    pixels: float
    latents: float
    unit: str

    @property
    def saved(self) -> str:
        """How many times less latents take."""
        ratio = self.pixels / self.latents if self.latents else 0.0
        return f"{ratio:.0f} ×" if ratio >= 10 else f"{ratio:.1f} ×"

    @property
    def told(self) -> tuple[str, str]:
        """Both values with their unit."""
        return short(self.pixels, self.unit), short(self.latents, self.unit)


def lines(found: Comparison) -> list[Line]:
    """What is compared; quantities that could not be measured are left out."""
    pixels, latents = found.pixels, found.latents
    whole = (
        ("numbers per picture", pixels.numbers, latents.numbers, ""),
        ("operations per step", pixels.step.operations, latents.step.operations, "FLOP"),
        ("time per step", pixels.step.seconds, latents.step.seconds, "s"),
        ("memory per step", pixels.step.memory, latents.step.memory, "B"),
        ("time per picture", pixels.picture_seconds, latents.picture_seconds, "s"),
    )
    return [Line(name, float(a), float(b), unit) for name, a, b, unit in whole if a > 0 and b > 0]


def table(found: Comparison) -> str:
    """The comparison in plain text, with what it was measured on in the last line."""
    shapes = (" × ".join(map(str, room.shape)) for room in (found.pixels, found.latents))
    rows = [("", "pixels", "latents", "saved"), ("a picture is", *shapes, "")]
    rows += [(line.name, *line.told, line.saved) for line in lines(found)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    body = [
        f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]:>{widths[3]}}".rstrip()
        for row in rows
    ]
    return "\n".join([*body, "", footnote(found)])


def footnote(found: Comparison) -> str:
    """Under which conditions the numbers hold."""
    decode = found.latents.decode
    once = f", and decoding once ({short(decode.seconds, 's')})" if decode else ""
    threads = f"{found.threads} thread{'s' if found.threads > 1 else ''}"
    return f"One picture of {found.size} × {found.size}, {threads}. A picture is 25 guided steps{once}."


def bars(found: Comparison) -> Image.Image:
    """The comparison as pairs of bars, each pair on its own scale from 0: an RGB picture."""
    shown = lines(found)
    paper = Image.new("RGB", (WIDTH, HEAD + BLOCK * len(shown) + 56), PAPER)
    size = found.size
    write(paper, (MARGIN, 44), f"One picture of {size} × {size}, in pixels and in latents", 32, INK, "lm")
    write(
        paper, (MARGIN, 84), "the same predictor in both spaces, measured on this machine in one run", 19, FADED, "lm"
    )
    write(paper, (MARGIN + LEFT, HEAD - 14), "pixels", 19, RUST, "lm")
    write(paper, (MARGIN + LEFT + 80, HEAD - 14), "latents", 19, INDIGO, "lm")
    write(paper, (WIDTH - MARGIN, HEAD - 14), "latents save", 17, FADED, "rm")
    for index, line in enumerate(shown):
        _pair(paper, HEAD + index * BLOCK, line)
    write(paper, (MARGIN, paper.height - 32), footnote(found), 17, FADED, "lm")
    return paper


def short(value: float, unit: str) -> str:
    """Three digits and a prefix: 0.0123 s as "12.3 ms", 5e10 FLOP as "50 GFLOP"; without unit all digits."""
    if not unit:
        return f"{value:,.0f}"
    steps: Sequence[tuple[float, str]] = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1, ""), (1e-3, "m"))
    if unit == "s":
        steps = steps[4:]
    scale, prefix = next((step for step in steps if value >= step[0] * 0.9995), steps[-1])
    number = value / scale
    return f"{number:.3g} {prefix}{unit}" if number < 999.5 else f"{number:,.0f} {prefix}{unit}"


def _pair(paper: Image.Image, top: int, line: Line) -> None:
    draw, left = ImageDraw.Draw(paper), MARGIN + LEFT
    draw.line([(MARGIN, top), (WIDTH - MARGIN, top)], fill=RULE)
    write(paper, (MARGIN, top + BLOCK // 2), line.name, 21, INK, "lm")
    write(paper, (WIDTH - MARGIN, top + BLOCK // 2), line.saved, 34, INK, "rm")
    values = (line.pixels, line.latents)
    for row, (value, told, colour) in enumerate(zip(values, line.told, COLOURS, strict=True)):
        high, long = top + 26 + row * (BAR + 12), max(round(LONGEST * value / max(values)), 3)
        draw.rectangle((left, high, left + long, high + BAR - 1), fill=colour)
        write(paper, (left + long + 12, high + BAR // 2), told, 19, INK, "lm")
