from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from inkwash.errors import InvalidRequest
from inkwash.forward.schedule import DiscreteSchedule
from inkwash.predictor.residuals import ALWAYS, NEVER, NOTHING, Residuals, Steered, acting, as_many, summed, window
from inkwash.predictor.spec import TINY
from inkwash.predictor.unet import UNet
from inkwash.types import TextStates
from tools.golden.filling import filled

TEXT = TextStates(torch.zeros(2, 3, 16))
T = torch.tensor([5.0, 900.0])


def maps(*sizes: int) -> tuple[Tensor, ...]:
    return tuple(torch.randn(2, 4, size, size) for size in sizes)


def test_nothing_added_is_nothing() -> None:
    one = Residuals(maps(4, 2), torch.randn(2, 4, 2, 2), maps(4))
    assert one + NOTHING == one
    assert NOTHING + one == one
    assert NOTHING + NOTHING == NOTHING


def test_residuals_of_two_are_added_place_by_place() -> None:
    one, two = (Residuals(maps(4, 2), torch.randn(2, 4, 2, 2), maps(4)) for _ in range(2))
    both = one + two
    assert torch.equal(both.middle, one.middle + two.middle)
    for name in ("skips", "stages"):
        wanted = [a + b for a, b in zip(getattr(one, name), getattr(two, name), strict=True)]
        assert all(map(torch.equal, getattr(both, name), wanted))


def test_one_number_per_channel_holds_for_all_places() -> None:
    (found,) = summed((torch.zeros(2, 4, 3, 5),), (torch.ones(2, 4, 1, 1),))
    assert torch.equal(found, torch.ones(2, 4, 3, 5))


@pytest.mark.parametrize(
    "wrong", [maps(4), maps(4, 2, 2), maps(4, 3), (torch.zeros(2, 5, 4, 4), torch.zeros(2, 4, 2, 2))]
)
def test_maps_of_another_network_are_refused(wrong: tuple[Tensor, ...]) -> None:
    with pytest.raises(InvalidRequest, match="not made for one another"):
        summed(maps(4, 2), wrong)


def test_one_hint_serves_all_and_several_serve_in_turn() -> None:
    assert as_many(torch.zeros(1, 3), 6).shape == (1, 3)
    assert as_many(torch.tensor([[1.0], [2.0]]), 4).flatten().tolist() == [1, 2, 1, 2]
    with pytest.raises(InvalidRequest, match="for 1 or for each of 3"):
        as_many(torch.zeros(2, 3), 3)


@pytest.mark.parametrize(
    ("interval", "acts"), [((0.0, 1e3), True), ((900.0, 1e3), True), ((0.0, 899.0), False), ((901.0, 1e3), False)]
)
def test_a_helper_acts_at_its_steps(interval: tuple[float, float], acts: bool) -> None:
    assert acting(T, interval) is acts


@dataclass(frozen=True)
class Fixed:
    """A helper that always says the same."""

    said: Residuals

    def residuals(self, x: Tensor, t: Tensor, text: TextStates) -> Residuals:
        return self.said


def test_a_steered_network_without_helpers_is_the_network() -> None:
    network, x = filled(UNet(TINY)), torch.randn(2, 4, 8, 8)
    assert torch.equal(Steered(network, ())(x, T, TEXT), network(x, T, TEXT))


def test_helpers_add_up() -> None:
    network, x = filled(UNet(TINY)), torch.randn(2, 4, 8, 8)
    sizes = [(32, 8), (32, 8), (32, 4), (64, 4)]
    skips = [tuple(torch.randn(2, width, side, side) for width, side in sizes) for _ in range(2)]
    one, two = (Fixed(Residuals(each, each[-1])) for each in skips)
    assert torch.equal(Steered(network, (one, two))(x, T, TEXT), network(x, T, TEXT, one.said + two.said))
    assert not torch.allclose(Steered(network, (one,))(x, T, TEXT), network(x, T, TEXT))


def test_a_window_holds_the_steps_that_lie_in_it_whole() -> None:
    schedule = DiscreteSchedule.scaled_linear()
    t = torch.tensor([901.0, 751.0, 601.0, 451.0, 301.0, 151.0])
    sigmas = torch.cat([schedule.sigma(t), torch.zeros(1)])
    for part, wanted in (((0.2, 0.7), t[2:4]), ((0.0, 1.0), t), ((0.5, 1.0), t[3:]), ((0.0, 1 / 6), t[:1])):
        low, high = window(schedule, sigmas, *part)
        inside = [each for each in schedule.t(sigmas[:-1]) if acting(each[None], (low, high))]
        torch.testing.assert_close(torch.stack(inside), wanted, rtol=1e-4, atol=1e-2)
    assert window(schedule, sigmas, 0.4, 0.45) == NEVER
    assert not acting(t, NEVER)
    assert acting(t, ALWAYS)
