"""Where a run is good and where it is bad: held-out loss by noise level, drawn as it falls."""

from collections.abc import Sequence
from pathlib import Path

from inkwash.files import atomic
from inkwash.show.canvas import INK
from inkwash.show.plot import Axis, Curve, plot, ticks
from inkwash.training.log import read_log

SHOWN = 6
"""Examinations that are drawn, from the first to the last."""


def draw_noise_plot(log: Path, picture: Path) -> None:
    """Draw the examinations in `log` that tell a loss by noise level; nothing if there are none."""
    told = [(line["images"], line["bins"]) for line in read_log(log) if "bins" in line]
    if not told:
        return
    places = sorted({round(number * (len(told) - 1) / (SHOWN - 1)) for number in range(SHOWN)})
    curves = [_curve(told[place][1], (number + 1) / len(places)) for number, place in enumerate(places)]
    high = max(max(curve.ys) for curve in curves) * 1.05
    steps = Axis("step t of the noise schedule", 0.0, 1000.0, ticks([0.0, 250.0, 500.0, 750.0, 1000.0]))
    losses = Axis("held-out loss", 0.0, high, ticks([0.0, round(high / 2, 1), round(high, 1)]))
    title = f"Loss by noise, from {told[0][0]:,} pictures (faint) to {told[-1][0]:,}"
    paper = plot(curves, steps, losses, (640, 400), title)
    with atomic(picture, overwrite=True) as part:
        paper.save(part, "PNG")


def _curve(bins: Sequence[float], strength: float) -> Curve:
    width = 1000 / len(bins)
    middles = [(place + 0.5) * width for place in range(len(bins))]
    return Curve(middles, list(bins), INK, opacity=0.2 + 0.8 * strength)
