"""`inkwash peaks`: why samples are cats or dogs and never something between, in one dimension."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from inkwash.errors import InvalidRequest
from inkwash.files import atomic, free_name, told

DRAWN = 120
"""Steps of the forward process."""


@dataclass(frozen=True, kw_only=True)
class PeaksOptions:
    """Forward and reverse diffusion of one number, drawn on one sheet and counted."""

    samples: int = 2000
    """How many walkers are followed and counted."""
    steps: int = 100
    """Steps of the reverse process."""
    cats: float = 0.5
    """Share of cats in the data, between 0 and 1."""
    spread: float = 0.12
    """Width of each peak; the peaks are 2 apart."""
    deterministic: Literal["euler", "heun", "ddim", "dpmpp_2m", "lms"] = "heun"
    """Sampler of the second row."""
    stochastic: Literal["euler_ancestral", "ddpm", "dpmpp_2m_sde", "dpmpp_sde"] = "euler_ancestral"
    """Sampler of the third row."""
    seed: int = 0
    """The same seed draws the same sheet."""
    out: Path = Path("peaks.png")
    """Where the sheet goes; a number is added to the name if it is taken."""

    def __post_init__(self) -> None:
        if not 100 <= self.samples <= 1_000_000:
            raise InvalidRequest("samples", self.samples, "between 100 and 1000000")
        if not 2 <= self.steps <= 1000:
            raise InvalidRequest("steps", self.steps, "between 2 and 1000")
        if not 0 < self.cats < 1:
            raise InvalidRequest("cats", self.cats, "between 0 and 1, both left out")
        if self.out.suffix.lower() != ".png":
            raise InvalidRequest("out", str(self.out), "the name of a .png")
        if not 0.01 <= self.spread <= 0.5:
            raise InvalidRequest("spread", self.spread, "between 0.01 and 0.5")


def run(options: PeaksOptions) -> None:
    """Walk, count and draw; prints where the samples came to lie, then the path of the sheet."""
    from inkwash.forward.schedule import DiscreteSchedule
    from inkwash.reverse.registry import SAMPLERS
    from inkwash.reverse.spacing import karras, uniform
    from inkwash.rng import NoiseSource
    from inkwash.show.peaks import TwoPeaks, dissolve, gather, tally
    from inkwash.show.peaks_sheet import Journey, peaks_sheet

    peaks, schedule = TwoPeaks(options.spread, options.cats), DiscreteSchedule.scaled_linear()
    noise = NoiseSource.seeded([options.seed])
    clean = peaks.draw(options.samples, noise)
    rising = uniform(schedule, DRAWN).flip(0)
    journeys = [Journey("Forward: ink spreads", rising, dissolve(clean, rising, noise), clean < 0)]
    counts = [("data", tally(clean, peaks))]
    falling = karras(schedule, options.steps)
    chosen: dict[str, str] = {"by drift alone": options.deterministic, "by drift and chance": options.stochastic}
    for kind, name in chosen.items():
        paths = gather(peaks, SAMPLERS[name], falling, options.samples, NoiseSource.seeded([options.seed + 1]))
        journeys.append(Journey(f"Reverse {kind}: {name}", falling, paths, paths[-1] < 0))
        counts.append((name, tally(paths[-1], peaks)))
    for row, found in counts:
        print(f"{row:16} {found.cat:6} cat {found.dog:6} dog {found.between:6} between")  # noqa: T201
    picture, place = peaks_sheet(peaks, schedule, journeys, counts), free_name(options.out)
    with told(place):
        place.parent.mkdir(parents=True, exist_ok=True)
    with atomic(place) as part:
        picture.save(part, "PNG")
    print(place)  # noqa: T201
