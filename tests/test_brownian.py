"""One path per seed: what it adds up to, how much it moves, and that nobody's questions change it."""

from itertools import pairwise
from math import sqrt

import pytest
import torch
from torch import Tensor

from inkwash.brownian import DEPTH, OCTAVES, Path, clock, mixed, time
from inkwash.reverse.registry import SAMPLERS
from inkwash.rng import NoiseSource, philox, sources
from inkwash.types import Latents, Sigma


def drawn(seed: int, shape: tuple[int, ...]) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


PATH, MANY = Path(7, drawn), (20_000,)
LEVELS = (14.6, 9.0, 3.3, 1.0, 0.2, 0.03)


def gained(path: Path, sigma: float, lower: float, shape: tuple[int, ...] = MANY) -> Tensor:
    return path.between(sigma, lower, shape).double() * sqrt(time(clock(lower)) - time(clock(sigma)))


def test_gains_add_up() -> None:
    whole = gained(PATH, LEVELS[0], LEVELS[-1], (50,))
    parts = [gained(PATH, one, other, (50,)) for one, other in pairwise(LEVELS)]
    torch.testing.assert_close(torch.stack(parts).sum(0), whole, rtol=1e-5, atol=1e-5)


def test_gains_are_unit_noise_and_independent() -> None:
    parts = torch.stack([PATH.between(one, other, MANY) for one, other in pairwise(LEVELS)])
    assert parts.mean(1).abs().max() < 0.03
    assert (parts.std(1) - 1).abs().max() < 0.02
    assert (torch.corrcoef(parts) - torch.eye(5)).abs().max() < 0.03
    assert (parts.pow(4).mean(1) - 3).abs().max() < 0.2  # as Gaussians have it


@pytest.mark.parametrize(("one", "other"), [(1.0, 0.999), (1e-4, 5e-5), (3e5, 1e5)])
def test_short_and_far_moves_have_their_deviation_too(one: float, other: float) -> None:
    assert PATH.between(one, other, MANY).std().item() == pytest.approx(1, abs=0.02)


def test_the_order_of_questions_does_not_matter() -> None:
    once = [Path(3, drawn).between(one, other, (4,)) for one, other in ((5.0, 1.0), (1.0, 0.5))]
    path = Path(3, drawn)
    later = [path.between(one, other, (4,)) for one, other in ((0.5, 0.1), (1.0, 0.5), (20.0, 3.0), (5.0, 1.0))]
    assert torch.equal(later[3], once[0])
    assert torch.equal(later[1], once[1])
    assert not torch.equal(Path(4, drawn).between(5.0, 1.0, (4,)), once[0])


def test_the_clock_has_ends() -> None:
    assert [clock(level) for level in (2.0**20, 2.0**25, 0.0, 1.0)] == [0, 0, 2**DEPTH, 2 ** (DEPTH - 1)]
    assert (time(0), time(2**DEPTH)) == (2.0**-OCTAVES, 2.0**OCTAVES)
    assert torch.equal(PATH.between(1.0, 1.0, (3,)), torch.zeros(3))


def test_nodes_have_seeds_of_their_own() -> None:
    seeds = {mixed(seed, node) for seed in range(50) for node in range(50)}
    assert len(seeds) == 2500
    assert all(0 <= seed < 2**63 for seed in seeds)


STEADY = torch.tensor([[[[0.5]], [[-1.0]]]])


def steady(x: Latents, sigma: Sigma) -> Latents:
    """What a picture is does not depend on where one is: the stochastic equation is then solved exactly."""
    return STEADY.expand_as(x)


@pytest.mark.parametrize("sampler", ["euler_ancestral", "dpmpp_2m_sde", "dpmpp_3m_sde", "dpmpp_sde"])
def test_the_end_is_the_same_whatever_the_steps(sampler: str) -> None:
    def arrived(steps: int, tree: bool) -> Latents:
        _, noise = sources([5], tree=tree)
        sigmas = torch.logspace(1, -1, steps + 1)
        *_, last = SAMPLERS[sampler](steady, 10 * torch.ones(1, 2, 3, 3), sigmas, noise)
        return last.x

    torch.testing.assert_close(arrived(3, True), arrived(40, True), atol=2e-4, rtol=1e-3)
    assert not torch.allclose(arrived(3, False), arrived(40, False), atol=1e-2)


def test_every_picture_of_a_batch_has_its_path() -> None:
    x = torch.zeros(2, 1, 2, 2)
    _, both = sources([5, 6], tree=True)
    _, alone = sources([6], tree=True)
    assert torch.equal(both.between(x, 3.0, 1.0)[1:], alone.between(x[:1], 3.0, 1.0))
    _, moved = sources([5], delta=1, tree=True)
    assert torch.equal(moved.between(x[:1], 3.0, 1.0), alone.between(x[:1], 3.0, 1.0))
    _, gpu = sources([6], "philox", tree=True)
    path = Path(6, lambda seed, shape: philox(seed)(shape))
    assert torch.equal(gpu.between(x[:1], 3.0, 1.0)[0], path.between(3.0, 1.0, (1, 2, 2)))


def test_without_paths_noise_goes_on_as_ever() -> None:
    x = torch.zeros(1, 1, 2, 2)
    one, other = NoiseSource.seeded([1]), NoiseSource.seeded([1])
    assert torch.equal(one.between(x, 3.0, 1.0), other.like(x))
    loud = NoiseSource(other.streams, strength=2.0)
    assert torch.equal(loud.like(x), 2 * one.like(x))
