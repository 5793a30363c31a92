import pytest
import torch
from torch import Tensor

from inkwash.denoiser import NetworkDenoiser, guided
from inkwash.errors import InvalidRequest
from inkwash.forward.schedule import FlowSchedule
from inkwash.predictor.mmdit import MMDiT
from inkwash.predictor.mmdit_spec import TINY_MMDIT
from inkwash.predictor.skipping import NOWHERE, between_steps, once, steered_away, without
from inkwash.types import TextStates
from tools.golden.filling import filled

X, ONE = torch.zeros(1, 1, 1, 1), torch.tensor(1.0)


def test_the_difference_is_added_scaled() -> None:
    denoise = steered_away(lambda x, _: x + 1, lambda x, _: x + 7, lambda x, _: x + 3, 2.5)
    assert denoise(X, ONE).item() == 1 + 2.5 * 4


@pytest.mark.parametrize(("scale", "sigma", "wanted"), [(0.0, 1.0, 1), (2.0, 0.4, 1), (2.0, 0.5, 9), (2.0, 5.1, 1)])
def test_it_acts_in_its_interval_and_asks_nothing_outside(scale: float, sigma: float, wanted: float) -> None:
    asked = []

    def known(x: Tensor, _: Tensor) -> Tensor:
        asked.append(1)
        return x + 7

    denoise = steered_away(lambda x, _: x + 1, known, lambda x, _: x + 3, scale, (0.5, 5.0))
    assert denoise(X, torch.tensor(sigma)).item() == wanted
    assert len(asked) == (wanted == 9)


def test_once_asks_again_only_for_something_else() -> None:
    asked = []

    def count(x: Tensor, sigma: Tensor) -> Tensor:
        asked.append(1)
        return x + sigma

    denoise, x = once(count), X.clone()
    assert denoise(x, ONE).item() == denoise(x.clone(), ONE.clone()).item() == 1
    assert len(asked) == 1
    assert denoise(x, torch.tensor(2.0)).item() == 2
    x += 1  # the same tensor with another content
    assert denoise(x, torch.tensor(2.0)).item() == 3
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("start", "stop", "steps"), [(0.01, 0.7, (1, 4)), (0.0, 1.0, (1, 5)), (0.01, 0.2, (1, 1)), (-1.0, 0.2, (0, 1))]
)
def test_fractions_of_a_walk_become_levels(start: float, stop: float, steps: tuple[int, int]) -> None:
    sigmas = torch.tensor([9.0, 7.0, 5.0, 3.0, 2.0, 1.0, 0.0])
    assert between_steps(sigmas, start, stop) == (sigmas[steps[1]].item(), sigmas[steps[0]].item())


def test_no_step_is_no_level() -> None:
    assert between_steps(torch.tensor([9.0, 1.0, 0.0]), 0.9, 1.0) == NOWHERE
    assert steered_away(lambda x, _: x, lambda x, _: x + 1, lambda x, _: x, 2.0, NOWHERE)(X, ONE) == 0


def test_a_network_steers_away_from_itself_without_a_layer() -> None:
    torch.manual_seed(0)
    network = filled(MMDiT(TINY_MMDIT))
    texts = [TextStates(torch.randn(1, 5, 16), torch.randn(1, 12)) for _ in range(2)]
    x, sigma = torch.randn(1, 4, 8, 8), torch.tensor(2.0)
    wanted, unwanted = (NetworkDenoiser(network, FlowSchedule(), "flow", text) for text in texts)
    weaker = NetworkDenoiser(without(network, (1,)), FlowSchedule(), "flow", texts[0])
    with torch.no_grad():
        found = steered_away(guided(wanted, unwanted, 4.0), wanted, weaker, 2.5)(x, sigma)
        known, away, less = wanted(x, sigma), unwanted(x, sigma), weaker(x, sigma)
    assert not torch.allclose(known, less)
    torch.testing.assert_close(found, away + 4 * (known - away) + 2.5 * (known - less))


def test_a_layer_that_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="skipped layer is 7, but must be from 0 to 1"):
        without(MMDiT(TINY_MMDIT), (1, 7))
