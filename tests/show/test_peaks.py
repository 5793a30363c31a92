"""Samples land on one peak or the other, never between; proportions, density and score are those of the mixture."""

from collections.abc import Mapping
from types import MappingProxyType

import pytest
import torch

from inkwash.forward.schedule import DiscreteSchedule
from inkwash.reverse.registry import SAMPLERS
from inkwash.reverse.spacing import karras, uniform
from inkwash.rng import NoiseSource
from inkwash.show.peaks import Tally, TwoPeaks, dissolve, gather, tally

SCHEDULE = DiscreteSchedule.scaled_linear()
PEAKS = TwoPeaks()
EXACT = ("euler", "heun", "ddim", "dpmpp_2m", "lms", "euler_ancestral", "ddpm", "dpmpp_2m_sde", "dpmpp_sde", "unipc")
"""Of every sort of sampler one that is fast; LCM and TCD are for networks that jump, and pull samples together."""
EVERY = pytest.mark.parametrize("name", EXACT)
LEVELS = (0.0, 0.3, 1.0, 5.0)


@EVERY
@pytest.mark.parametrize("cats", [0.5, 0.2])
def test_no_sample_lies_between_and_proportions_hold(name: str, cats: float) -> None:
    peaks = TwoPeaks(cats=cats)
    paths = gather(peaks, SAMPLERS[name], karras(SCHEDULE, 60), 2000, NoiseSource.seeded([1]))
    found = tally(paths[-1], peaks)
    assert found.between == 0
    assert found.cat + found.dog == 2000
    assert found.cat == pytest.approx(2000 * cats, abs=90)  # four standard deviations of a fair coin


def test_with_drift_alone_one_watershed_parts_cats_from_dogs() -> None:
    paths = gather(PEAKS, SAMPLERS["heun"], karras(SCHEDULE, 60), 500, NoiseSource.seeded([1]))
    ended_cat = paths[-1] < 0
    assert paths[0][ended_cat].max() < paths[0][~ended_cat].min()


def test_with_chance_there_is_no_watershed() -> None:
    paths = gather(PEAKS, SAMPLERS["euler_ancestral"], karras(SCHEDULE, 60), 500, NoiseSource.seeded([1]))
    ended_cat = paths[-1] < 0
    assert paths[0][ended_cat].max() > paths[0][~ended_cat].min()


def test_forward_spreads_to_the_variance_of_every_level() -> None:
    rising = uniform(SCHEDULE, 40).flip(0)
    noise = NoiseSource.seeded([3])
    paths = dissolve(PEAKS.draw(4000, noise), rising, noise)
    assert paths.shape == (41, 4000)
    for at in (0, 20, 40):
        expected = (1 + PEAKS.spread**2 + rising[at].item() ** 2) ** 0.5
        assert paths[at].std().item() == pytest.approx(expected, rel=0.04)


def test_forward_ends_where_reverse_begins() -> None:
    """Nothing tells a cat from a dog at the end: both halves have nearly the same mean, in units of the noise."""
    rising = uniform(SCHEDULE, 40).flip(0)
    noise = NoiseSource.seeded([3])
    end = dissolve(PEAKS.draw(4000, noise), rising, noise)[-1] / rising[-1]
    assert abs((end[:2000].mean() - end[2000:].mean()).item()) < 0.2


@pytest.mark.parametrize("sigma", LEVELS)
@pytest.mark.parametrize("cats", [0.5, 0.3])
def test_density_has_mass_one_and_is_symmetric_only_for_equal_shares(sigma: float, cats: float) -> None:
    x = torch.linspace(-40, 40, 160_001, dtype=torch.float64)
    density = TwoPeaks(cats=cats).density(x, torch.tensor(sigma))
    assert torch.trapezoid(density, x).item() == pytest.approx(1, abs=1e-6)
    assert torch.allclose(density, density.flip(0)) == (cats == 0.5)


@pytest.mark.parametrize("sigma", LEVELS[1:])
def test_score_is_the_slope_of_log_density(sigma: float) -> None:
    peaks, level = TwoPeaks(cats=0.3), torch.tensor(sigma, dtype=torch.float64)
    x = torch.linspace(-2, 2, 41, dtype=torch.float64).reshape(1, 1, 1, 41).requires_grad_()
    (slope,) = torch.autograd.grad(peaks.density(x, level).log().sum(), x)
    torch.testing.assert_close(peaks.score(x.detach(), level), slope, rtol=1e-6, atol=1e-8)


def test_cat_chance_is_bayes_rule() -> None:
    peaks, sigma = TwoPeaks(spread=0.4, cats=0.3), torch.tensor(0.7)
    x = torch.linspace(-2, 2, 9)
    cats, dogs = TwoPeaks(0.4, 1 - 1e-9).density(x, sigma), TwoPeaks(0.4, 1e-9).density(x, sigma)
    torch.testing.assert_close(peaks.cat_chance(x, sigma), 0.3 * cats / (0.3 * cats + 0.7 * dogs))


TALLIES: Mapping[str, tuple[list[float], Tally]] = MappingProxyType(
    {
        "one of each": ([-1.0, 1.0, 0.0], Tally(1, 1, 1)),
        "edges": ([-1.59, -1.61, 0.41, 0.39], Tally(1, 1, 2)),
        "far out": ([9.0, -9.0], Tally(0, 0, 2)),
    }
)


@pytest.mark.parametrize(("samples", "expected"), TALLIES.values(), ids=TALLIES.keys())
def test_tally_counts_what_is_near(samples: list[float], expected: Tally) -> None:
    assert tally(torch.tensor(samples), PEAKS) == expected


@pytest.mark.parametrize("cats", [0.5, 0.25])
def test_data_hold_the_share_of_cats(cats: float) -> None:
    peaks = TwoPeaks(cats=cats)
    assert tally(peaks.draw(1000, NoiseSource.seeded([0])), peaks) == Tally(int(1000 * cats), int(1000 * (1 - cats)), 0)
