import pytest
import torch
from torch import Tensor

from inkwash.denoiser import Denoiser, Guesses, Target, guided, halves, kept_outside, scalings, straight
from inkwash.forward.schedule import DiscreteSchedule
from inkwash.guidance import bounded, clipped, instructed, projected, pushed, rescaled, seen_outside, thresholded
from inkwash.reverse.ddim import ddim
from inkwash.rng import NoiseSource

SIGMA = torch.tensor(2.0)


def guesses(seed: int = 0) -> Guesses:
    wanted, unwanted, eps = torch.randn(3, 2, 4, 8, 8, generator=torch.Generator().manual_seed(seed))
    return Guesses(wanted, unwanted, wanted + SIGMA * eps, SIGMA)


@pytest.mark.parametrize("target", ["epsilon", "v", "x0"])
def test_rescaled_keeps_the_deviation_of_what_is_told(target: Target) -> None:
    found = guesses()
    c = scalings(target, SIGMA)
    told = (rescaled(1.0, target)(found, 7.5) - c.skip * found.x) / c.out
    wanted = (found.wanted - c.skip * found.x) / c.out
    torch.testing.assert_close(told.std((1, 2, 3)), wanted.std((1, 2, 3)))
    torch.testing.assert_close(rescaled(0.0, target)(found, 7.5), straight(found, 7.5), rtol=1e-4, atol=1e-5)


def test_thresholded_has_the_range_of_a_calm_scale() -> None:
    found = guesses()
    strong, calm = (rule.flatten(2) for rule in (thresholded(3.0)(found, 20.0), straight(found, 3.0)))
    reach = [(each - each.mean(2, keepdim=True)).abs().amax(2) for each in (strong, calm)]
    torch.testing.assert_close(*reach)
    torch.testing.assert_close(thresholded(3.0)(found, 3.0), straight(found, 3.0))
    assert not torch.allclose(thresholded(3.0, 0.9)(found, 20.0), thresholded(3.0)(found, 20.0))


def test_projected_is_guidance_if_everything_stays() -> None:
    found = guesses()
    rule = projected(parallel=1.0, largest=0.0, momentum=0.0)
    torch.testing.assert_close(rule(found, 7.5), straight(found, 7.5), rtol=1e-4, atol=1e-5)


def test_projected_pushes_at_right_angles_and_not_too_far() -> None:
    found = guesses()
    push = projected(largest=2.0, momentum=0.0)(found, 3.0) - found.wanted
    assert (push * found.wanted).sum().abs() < 1e-3
    assert (push.square().sum((1, 2, 3)).sqrt() <= 2 * 2.0001).all()


def test_projected_remembers() -> None:
    found, rule = guesses(), projected(parallel=1.0, largest=0.0, momentum=-0.5)
    first, second = (rule(found, 2.0) - found.wanted for _ in range(2))
    torch.testing.assert_close(second, first / 2)


def test_pushed_goes_away_from_the_worse() -> None:
    denoise = pushed(lambda x, _: x, lambda x, _: x + 1, lambda x, _: x - 1, 3.0)
    assert denoise(torch.zeros(1, 1, 1, 1), SIGMA).item() == 6


def test_clipped_squeezes_only_what_is_too_large() -> None:
    small, large = torch.linspace(-0.9, 0.9, 16).reshape(1, 1, 4, 4), torch.linspace(-3, 3, 16).reshape(1, 1, 4, 4)
    assert torch.equal(clipped(lambda x, _: x, largest=5.0)(small, SIGMA), small)
    found = clipped(lambda x, _: x, 1.0, 5.0)(large, SIGMA)
    torch.testing.assert_close(found, large / 3)
    assert clipped(lambda x, _: x, 0.5, 1.0)(large, SIGMA).abs().max() == 1


def test_at_the_boundary_the_input_is_the_answer() -> None:
    schedule = DiscreteSchedule.scaled_linear()
    x, low, high = torch.ones(1, 1, 2, 2), torch.tensor(schedule.sigma_min), torch.tensor(schedule.sigma_max)
    denoise = bounded(lambda x, _: 0 * x + 9, schedule)
    torch.testing.assert_close(denoise(x, low), x, rtol=1e-3, atol=0)
    torch.testing.assert_close(denoise(x, high), 9 * x, rtol=1e-6, atol=0)


def test_rules_reach_the_denoiser_and_its_halves() -> None:
    found = guesses()

    def unwanted(x: Tensor, _: Tensor) -> Tensor:
        return found.unwanted

    denoise = guided(lambda x, _: found.wanted, unwanted, 7.5, (0.0, 3.0), rescaled(0.7))
    told = halves(denoise, found.x, SIGMA)
    torch.testing.assert_close(told.guided, rescaled(0.7)(found, 7.5))
    assert torch.equal(told.unguided, found.unwanted)
    outside = halves(denoise, found.x, torch.tensor(4.0))
    assert torch.equal(outside.guided, found.wanted)
    assert torch.equal(outside.unguided, found.unwanted)


def test_a_denoiser_without_guidance_has_equal_halves() -> None:
    one, two = halves(lambda x, _: x + 1, torch.zeros(1, 1, 1, 1), SIGMA)
    assert torch.equal(one, two)


def told(value: float) -> Denoiser:
    return lambda x, _: torch.full_like(x, value)


@pytest.mark.parametrize("scales", [(7.5, 1.5), (1.0, 1.5), (0.0, 0.0), (1.0, 1.0)])
def test_instructions_weigh_words_and_picture_apart(scales: tuple[float, float]) -> None:
    denoise = instructed(told(5.0), told(2.0), told(-1.0), scales)
    found = denoise(torch.zeros(1, 1, 1, 1), SIGMA).item()
    assert found == pytest.approx(-1 + scales[0] * 3 + scales[1] * 3)


def test_instructions_of_a_picture_that_tells_nothing_are_guidance() -> None:
    x = torch.zeros(1, 1, 1, 1)
    plain = guided(told(5.0), told(2.0), 7.5)
    torch.testing.assert_close(instructed(told(5.0), told(2.0), told(2.0), (7.5, 3.0))(x, SIGMA), plain(x, SIGMA))


def test_instructions_act_in_their_interval() -> None:
    denoise = instructed(told(5.0), told(2.0), told(-1.0), (7.5, 1.5), (0.5, 3.0))
    found = [denoise(torch.zeros(1, 1, 1, 1), torch.tensor(sigma)).item() for sigma in (0.4, 2.0, 3.1)]
    assert found == [5, 26, 5]


def test_outside_the_mask_the_network_sees_the_picture_under_one_noise() -> None:
    mask = torch.tensor([1.0, 0.0]).reshape(1, 1, 1, 2)
    known, eps = torch.full((1, 1, 1, 2), 3.0), torch.full((1, 1, 1, 2), 0.5)
    seen: list[Tensor] = []

    def inner(x: Tensor, _: Tensor) -> Tensor:
        seen.append(x)
        return x + 1

    found = seen_outside(mask, known, eps, inner)(torch.full((1, 1, 1, 2), 9.0), SIGMA)
    assert seen[0].flatten().tolist() == [9, 3 + 2 * 0.5]
    assert found.flatten().tolist() == [10, 3]


def test_without_new_noise_both_ways_to_inpaint_are_one() -> None:
    known, eps, x = torch.randn(3, 1, 2, 4, 4, generator=torch.Generator().manual_seed(1))
    mask = torch.zeros(1, 1, 4, 4)
    mask[..., 2:] = 1
    sigmas = torch.tensor([4.0, 2.0, 1.0, 0.0])

    def inner(x: Tensor, sigma: Tensor) -> Tensor:
        return 0.9 * x.mean() + x / (1 + sigma**2)

    start = mask * x + (1 - mask) * (known + 4 * eps)
    ours, theirs = (
        list(ddim(denoise, start, sigmas, NoiseSource.seeded([0])))[-1].x
        for denoise in (kept_outside(mask, known, inner), seen_outside(mask, known, eps, inner))
    )
    torch.testing.assert_close(ours, theirs)
