"""Union ControlNets against diffusers (tests/golden/union.json): what they say of one hint and of several."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from inkwash.predictor.residuals import NOTHING, Residuals
from inkwash.predictor.spec import SDXL
from inkwash.predictor.union_controlnet import Sight, UnionControl, UnionControlNet
from inkwash.types import TextStates
from inkwash.weights.helpers import read_control
from tools.golden.filling import given
from tools.helpers import write_union

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "union.json").read_text())["said"]
CASES: dict[str, tuple[tuple[int, ...], tuple[float, ...], bool]] = {
    "one": ((1,), (0.8,), False),
    "soft": ((6,), (0.8,), True),
    "several": ((0, 3, 3), (0.8, 0.3, 1.5), False),
    "several soft": ((7, 2), (0.5, 0.7), True),
}
T = torch.tensor([500.0, 500.0])


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> UnionControlNet:
    found, told = read_control(write_union(tmp_path_factory.mktemp("union") / "union.safetensors", kinds=8))
    assert isinstance(found, UnionControlNet)
    assert (told.kind, told.family, found.kinds) == ("controlnet union", "sdxl", 8)
    return found


def hint(number: int) -> Tensor:
    return given(f"union.{number}", (1, 3, 64, 48)).sigmoid()


def asked() -> tuple[Tensor, Tensor, TextStates]:
    """One picture in both halves of guidance."""
    size = torch.tensor([[64.0, 48.0, 0.0, 8.0, 64.0, 48.0]]).expand(2, -1)
    words = TextStates(given("union.words", (2, 5, 2048)), given("union.pooled", (2, 1280)), size=size)
    return given("union.x", (1, 4, 8, 6)).expand(2, -1, -1, -1), T, words


def maps(said: Residuals) -> list[Tensor]:
    assert said.middle is not None
    return [*said.skips, said.middle]


def same(found: Tensor, golden: dict[str, Any]) -> None:
    flat = found.double().flatten()
    ends = torch.tensor(golden["head"] + golden["tail"], dtype=torch.float64)
    assert (torch.cat([flat[:24], flat[-24:]]) - ends).abs().max() <= 1e-5 * flat.abs().max()
    assert flat.abs().sum().item() == pytest.approx(golden["sum_abs"], rel=1e-5)
    assert flat.std().item() == pytest.approx(golden["std"], rel=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_it_says_what_it_says_in_diffusers(network: UnionControlNet, case: str) -> None:
    kinds, scales, soft = CASES[case]
    sights = tuple(Sight(hint(n), kind, scale) for n, (kind, scale) in enumerate(zip(kinds, scales, strict=True)))
    found = maps(UnionControl(network, sights, soft).residuals(*asked()))
    assert len(found) == len(GOLDEN[case])
    for each, golden in zip(found, GOLDEN[case], strict=True):
        same(each, golden)


def test_the_kind_matters(network: UnionControlNet) -> None:
    lines, depth = (UnionControl(network, (Sight(hint(0), kind),)).residuals(*asked()) for kind in (3, 1))
    assert (lines.skips[0] - depth.skips[0]).abs().max() > 1e-2 * depth.skips[0].abs().max()


def test_a_picture_does_not_depend_on_its_neighbours_in_the_batch(network: UnionControlNet) -> None:
    _, t, text = asked()
    x, sights = torch.randn(2, 4, 8, 6), (Sight(torch.rand(2, 3, 64, 48), 1), Sight(hint(1), 3, 0.5))
    both = maps(UnionControl(network, sights).residuals(x, t, text))
    alone = (Sight(sights[0].hint[1:], 1), sights[1])
    second = maps(UnionControl(network, alone).residuals(x[1:], t[1:], text[1:]))
    for whole, part in zip(both, second, strict=True):
        torch.testing.assert_close(whole[1:], part, rtol=1e-4, atol=1e-5)


def test_hints_without_weight_or_outside_their_steps_are_not_shown(network: UnionControlNet) -> None:
    late, mute = Sight(hint(1), 1, interval=(0.0, 100.0)), Sight(hint(2), 0, scale=0.0)
    one = Sight(hint(0), 3, 0.7)
    found, alone = (UnionControl(network, sights).residuals(*asked()) for sights in ((late, one, mute), (one,)))
    assert all(map(torch.equal, maps(found), maps(alone)))
    assert UnionControl(network, (late, mute)).residuals(*asked()) is NOTHING


def test_untrained_it_says_nothing(network: UnionControlNet) -> None:
    fresh = UnionControlNet(network.spec)
    assert not any(map(torch.any, maps(fresh(*asked(), [Sight(hint(0), 5)]))))


@pytest.mark.parametrize(("kinds", "parameters"), [(6, 1_255_958_800), (8, 1_256_614_800)])
def test_released_ones_have_their_number_of_parameters(kinds: int, parameters: int) -> None:
    with torch.device("meta"):
        network = UnionControlNet(SDXL, kinds)
    assert sum(weight.numel() for weight in network.parameters()) == parameters
    assert len(network.state_dict()) == 863


def test_promax_is_as_large_as_its_file() -> None:
    with torch.device("meta"):
        network = UnionControlNet(SDXL, 8)
    header = 2_513_342_408 - 2 * sum(weight.numel() for weight in network.parameters())
    assert 100 * 863 < header < 150 * 863
