"""The two-peak toy as one sheet: the ink spreads, and comes back with and without chance."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from inkwash.forward.noising import shrink
from inkwash.forward.schedule import Schedule
from inkwash.show.canvas import FADED, INDIGO, INK, PAPER, RUST, beside, stacked, write
from inkwash.show.peaks import Paths, Tally, TwoPeaks
from inkwash.show.plot import Axis, Curve, plot
from inkwash.types import Sigmas

WALKERS = 56
"""Paths drawn of each kind; more would hide each other."""
REACH = 2.4
"""Values shown, from -REACH to REACH, in units that keep the variance."""
BINS = 56
WIDE, NARROW, HIGH = 760, 236, 300
"""Sizes of a river and of a density in pixels."""


MORAL = (
    "Colours tell where a walker began (forward) or ended (reverse).",
    "By drift alone the first noise decides: one watershed parts cats from dogs.",
    "With chance the same start may become either; both ways keep the proportions.",
)


@dataclass(frozen=True)
class Journey:
    """One row of the sheet: walkers over falling or rising levels, and what to say about them."""

    title: str
    sigmas: Sigmas
    paths: Paths
    cats: Tensor
    """Which walkers are drawn in the colour of cats: (walkers,) bool."""


def peaks_sheet(
    peaks: TwoPeaks, schedule: Schedule, journeys: Sequence[Journey], counts: Sequence[tuple[str, Tally]]
) -> Image.Image:
    """All journeys under each other with their densities at start, middle and end: an RGB picture."""
    rows = [_row(peaks, schedule, journey) for journey in journeys]
    head = Image.new("RGB", (rows[0].width, 74), PAPER)
    write(head, (14, 14), "Two peaks: a cat, a dog, and nothing between", 27)
    write(
        head, (15, 52), "exact score of a mixture in one dimension, noisy values shrunk to constant variance", 14, FADED
    )
    foot = Image.new("RGB", (rows[0].width, 26 * max(len(counts), len(MORAL)) + 16), PAPER)
    for place, (name, tally) in enumerate(counts):
        _told(foot, 6 + 26 * place, name, tally)
    for place, line in enumerate(MORAL):
        write(foot, (WIDE + 14, 6 + 26 * place), line, 14, FADED)
    return stacked([head, *rows, foot], gap=10, margin=20)


def _told(foot: Image.Image, top: int, name: str, tally: Tally) -> None:
    write(foot, (15, top), name, 15, FADED)
    parts = (
        (f"{tally.cat} cats", INDIGO, 330),
        (f"{tally.dog} dogs", RUST, 450),
        (f"{tally.between} between", INK, 570),
    )
    for text, colour, left in parts:
        write(foot, (left, top), text, 15, colour)


def _row(peaks: TwoPeaks, schedule: Schedule, journey: Journey) -> Image.Image:
    middle = _halfway(schedule, journey.sigmas)
    moments = (("start", 0), ("middle", middle), ("end", len(journey.sigmas) - 1))
    return beside(
        [_river(peaks, schedule, journey), *(_snapshot(peaks, schedule, journey, *moment) for moment in moments)], gap=0
    )


def _river(peaks: TwoPeaks, schedule: Schedule, journey: Journey) -> Image.Image:
    """The paths over t, upon the density they should follow."""
    t = _t(schedule, journey.sigmas)
    first, last = t[0].item(), t[-1].item()
    shown = journey.paths * shrink(journey.sigmas)[:, None]
    picked = torch.linspace(0, shown.shape[1] - 1, WALKERS).long()
    curves = [
        Curve(t.tolist(), shown[:, walker].tolist(), INDIGO if journey.cats[walker] else RUST, 1.1, 0.55)
        for walker in picked.tolist()
    ]
    marks = [(value, f"{value:.0f}") for value in torch.linspace(first, last, 5).tolist()]
    across = Axis("step t of the noise schedule", first, last, marks)
    up = Axis("", -REACH, REACH, [(-1.0, "cat"), (0.0, "0"), (1.0, "dog")])
    return plot(curves, across, up, (WIDE, HIGH), journey.title, ground=_ground(peaks, schedule, first, last))


def _ground(peaks: TwoPeaks, schedule: Schedule, first: float, last: float) -> Image.Image:
    """Density as ink on paper, each column scaled to its peak, in the colours of cats and dogs."""
    sigma = schedule.sigma(torch.linspace(first, last, WIDE).clamp(min=0.0))[None, :]
    x = torch.linspace(REACH, -REACH, HIGH)[:, None] / shrink(sigma)
    ink = peaks.density(x, sigma)
    ink = 0.42 * (ink / ink.amax(0)).sqrt()[..., None]
    cat = peaks.cat_chance(x, sigma)[..., None]
    colour = cat * torch.tensor(INDIGO) + (1 - cat) * torch.tensor(RUST)
    washed = (1 - ink) * torch.tensor(PAPER) + ink * colour
    return Image.fromarray(washed.round().to(torch.uint8).numpy())


def _snapshot(peaks: TwoPeaks, schedule: Schedule, journey: Journey, name: str, index: int) -> Image.Image:
    """Histogram of all walkers at one level, dogs upon cats, and the exact density as a line."""
    sigma = journey.sigmas[index]
    scale = shrink(sigma).item()
    places = torch.linspace(-REACH, REACH, 4 * BINS)
    exact = peaks.density(places / scale, sigma) / scale
    cats, everyone = _bars(journey.paths[index] * scale, journey.cats), _bars(journey.paths[index] * scale)
    top = 1.15 * max(exact.max().item(), *everyone.ys)
    curves = (
        replace(everyone, colour=RUST, opacity=0.4),
        replace(cats, colour=PAPER),
        replace(cats, colour=INDIGO, opacity=0.4),
        Curve(places.tolist(), exact.tolist(), INK, 1.4),
    )
    across = Axis("value", -REACH, REACH, [(-1.0, "cat"), (1.0, "dog")])
    t = _t(schedule, sigma.reshape(1)).item()
    return plot(curves, across, Axis("", 0.0, top), (NARROW, HIGH), f"{name}, t = {t:.0f}")


def _bars(values: Tensor, chosen: Tensor | None = None) -> Curve:
    """The outline of a histogram of the chosen values, as a density over all of them."""
    heights, edges = np.histogram(values if chosen is None else values[chosen], BINS, (-REACH, REACH))
    heights = heights * (BINS / (2 * REACH * len(values)))
    return Curve(np.repeat(edges, 2)[1:-1].tolist(), np.repeat(heights, 2).tolist(), filled=True)


def _t(schedule: Schedule, sigmas: Sigmas) -> Tensor:
    """Steps for drawing: sigma 0 stands at t = 0, with the first level of the schedule."""
    return schedule.t(sigmas.clamp(min=schedule.sigma_min))


def _halfway(schedule: Schedule, sigmas: Sigmas) -> int:
    t = _t(schedule, sigmas)
    return int((t - (t[0] + t[-1]) / 2).abs().argmin())
