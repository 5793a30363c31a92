"""A perfect network must make a perfect denoiser, whatever it was taught to tell."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from inkwash.denoiser import (
    Denoiser,
    NetworkDenoiser,
    NoisePredictor,
    Target,
    composed,
    guided,
    guided_at_once,
    in_turns,
    kept_outside,
    scalings,
)
from inkwash.forward.noising import add_noise, per_image, shrink
from inkwash.forward.schedule import DiscreteSchedule, FlowSchedule, Schedule
from inkwash.types import TextStates

PLAIN = DiscreteSchedule.scaled_linear()
SCHEDULES: dict[Target, Schedule] = {"epsilon": PLAIN, "v": PLAIN, "x0": PLAIN, "flow": FlowSchedule()}
TARGETS = pytest.mark.parametrize("target", SCHEDULES)
SIGMAS = pytest.mark.parametrize("sigma", [torch.tensor(0.7), torch.tensor([0.05, 0.7, 12.0])], ids=["one", "each"])


def drawn() -> tuple[Tensor, Tensor]:
    clean, eps = torch.randn(2, 3, 4, 8, 8, generator=torch.Generator().manual_seed(2))
    return clean, eps


def words(value: float) -> TextStates:
    return TextStates(torch.full((3, 2, 5), value))


@dataclass(frozen=True)
class Perfect:
    """Knows the picture and the noise; checks what it is asked."""

    target: Target
    clean: Tensor
    eps: Tensor
    sigma: Tensor

    def __call__(self, x: Tensor, t: Tensor, text: TextStates) -> Tensor:
        s = per_image(self.sigma)
        if self.target == "flow":
            torch.testing.assert_close(x, self.clean / (1 + s) + s / (1 + s) * self.eps)
            torch.testing.assert_close(t, (1000 * self.sigma / (1 + self.sigma)).expand(3))
        else:
            torch.testing.assert_close(x, shrink(s) * (self.clean + s * self.eps))
            torch.testing.assert_close(t, PLAIN.t(self.sigma).expand(3))
        match self.target:
            case "epsilon":
                return self.eps
            case "v":
                return shrink(s) * self.eps - s * shrink(s) * self.clean
            case "x0":
                return self.clean
            case "flow":
                return self.eps - self.clean


@dataclass(frozen=True)
class Reader:
    """Answers with its words, so that guidance can be followed; counts the pictures it is shown."""

    shown: list[int]

    def __call__(self, x: Tensor, t: Tensor, text: TextStates) -> Tensor:
        self.shown.append(len(x))
        return 0.1 * x + text.states.mean((1, 2)).reshape(-1, 1, 1, 1) + 1e-4 * t.reshape(-1, 1, 1, 1)


@TARGETS
@SIGMAS
def test_a_perfect_network_is_a_perfect_denoiser(target: Target, sigma: Tensor) -> None:
    clean, eps = drawn()
    network = Perfect(target, clean, eps, sigma)
    denoise = NetworkDenoiser(network, SCHEDULES[target], target, words(0.0))
    torch.testing.assert_close(denoise(add_noise(clean, sigma, eps), sigma), clean, rtol=1e-4, atol=1e-5)


def test_protocol_is_met() -> None:
    assert isinstance(Reader([]), NoisePredictor)


@TARGETS
def test_networks_see_unit_variance(target: Target) -> None:
    clean, eps = torch.randn(2, 1, 4, 64, 64, generator=torch.Generator().manual_seed(2))
    for sigma in (torch.tensor(0.1), torch.tensor(1.0), torch.tensor(30.0)):
        seen = (scalings(target, sigma).into * add_noise(clean, sigma, eps)).var().item()
        assert seen == pytest.approx(
            1.0 if target != "flow" else (1 + sigma.item() ** 2) / (1 + sigma.item()) ** 2, rel=0.05
        )


@TARGETS
def test_without_noise_nothing_is_changed_or_everything_is_told(target: Target) -> None:
    """At sigma 0 every target but x0 returns its input, whatever the network says."""
    skip, out, into = scalings(target, torch.tensor(0.0))
    assert into.item() == 1
    assert (skip.item(), abs(out.item())) == ((0, 1) if target == "x0" else (1, 0))


def test_the_four_targets_agree_on_one_network() -> None:
    """eps, v, x0 and flow are four ways to say the same: each turns into the others by its scalings."""
    clean, eps = drawn()
    sigma = torch.tensor(2.0)
    x = add_noise(clean, sigma, eps)
    for target, schedule in SCHEDULES.items():
        network = Perfect(target, clean, eps, sigma)
        found = NetworkDenoiser(network, schedule, target, words(0.0))(x, sigma)
        torch.testing.assert_close((x - found) / sigma, eps, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("scale", [0.0, 1.0, 3.0, 7.5])
@SIGMAS
def test_guided_at_once_is_guided(scale: float, sigma: Tensor) -> None:
    clean, eps = drawn()
    wanted = NetworkDenoiser(Reader([]), PLAIN, "epsilon", words(1.0))
    unwanted = NetworkDenoiser(Reader([]), PLAIN, "epsilon", words(-1.0))
    x = add_noise(clean, sigma, eps)
    torch.testing.assert_close(
        guided_at_once(wanted, words(-1.0), scale)(x, sigma), guided(wanted, unwanted, scale)(x, sigma)
    )


def test_guidance_extrapolates_from_unwanted_through_wanted() -> None:
    x = torch.zeros(1, 1, 1, 1)
    denoise = guided(lambda x, _: x + 1, lambda x, _: x - 1, 3.0)
    assert denoise(x, torch.tensor(1.0)).item() == 5


def test_guidance_acts_only_in_its_interval() -> None:
    x = torch.zeros(1, 1, 1, 1)
    denoise = guided(lambda x, _: x + 1, lambda x, _: x - 1, 3.0, (0.5, 5.0))
    found = [denoise(x, torch.tensor(sigma)).item() for sigma in (0.4, 0.5, 5.0, 5.1)]
    assert found == [1, 5, 5, 1]


@pytest.mark.parametrize(("scale", "sigma", "pictures"), [(3.0, 1.0, [6]), (1.0, 1.0, [3]), (3.0, 9.0, [3])])
def test_guided_at_once_asks_once_and_only_what_it_needs(scale: float, sigma: float, pictures: list[int]) -> None:
    reader = Reader([])
    network = NetworkDenoiser(reader, PLAIN, "epsilon", words(1.0))
    guided_at_once(network, words(0.0), scale, (0.5, 5.0))(torch.zeros(3, 1, 2, 2), torch.tensor(sigma))
    assert reader.shown == pictures


def test_what_the_mask_leaves_out_is_kept() -> None:
    mask = torch.tensor([1.0, 0.0]).reshape(1, 1, 1, 2)
    known = torch.full((2, 3, 1, 2), 9.0)
    found = kept_outside(mask, known, lambda x, _: x + 1)(torch.zeros(2, 3, 1, 2), torch.tensor(1.0))
    assert (found[..., 0] == 1).all()
    assert (found[..., 1] == 9).all()


def test_prompts_that_are_composed_pull_by_their_weights() -> None:
    def always(value: float) -> Denoiser:
        return lambda x, sigma: torch.full_like(x, value)

    x, sigma = torch.zeros(2, 1, 1, 1), torch.tensor(1.0)
    ways = [(always(3.0), torch.tensor([1.0, 0.5])), (always(5.0), torch.tensor([-1.0, 0.0]))]
    assert composed(ways, always(1.0), 2.0)(x, sigma).flatten().tolist() == [1 + 2 * (2 - 4), 1 + 2 * (0.5 * 2)]
    assert composed(ways, always(1.0), 2.0, (2.0, 9.0))(x, sigma).flatten().tolist() == [1 + (2 - 4), 1 + 0.5 * 2]


def test_denoisers_take_turns() -> None:
    denoise = in_turns(lambda sigma: (lambda x, _: x + 1) if sigma > 1 else (lambda x, _: x - 1))
    x = torch.zeros(1, 1, 1, 1)
    assert (denoise(x, torch.tensor(2.0)).item(), denoise(x, torch.tensor(1.0)).item()) == (1, -1)
