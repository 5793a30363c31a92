"""ControlNets against diffusers: sizes, names, and what becomes of the U-Net's answer (tests/golden/steered.json)."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from inkwash.errors import InvalidRequest
from inkwash.predictor.controlnet import Control, ControlNet
from inkwash.predictor.residuals import NOTHING, Steered
from inkwash.predictor.spec import SD15, SD21, SDXL, TINY, Stage, UNetSpec
from inkwash.predictor.t2i_adapter import FULL, FULL_XL, Adapted, T2IAdapter
from inkwash.predictor.unet import UNet
from inkwash.types import TextStates, joined
from tools.golden.filling import filled, given
from tools.golden.unets import NARROW, SD1, XL, told

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "steered.json").read_text())
T = torch.tensor([500.0, 20.0])
NETWORKS = {"steered.sd1": (SD1, FULL), "steered.sdxl": (XL, FULL_XL)}


def same(found: Tensor, name: str) -> None:
    golden, flat = GOLDEN[name], found.double().flatten()
    ends = torch.tensor(golden["head"] + golden["tail"], dtype=torch.float64)
    assert (torch.cat([flat[:6], flat[-6:]]) - ends).abs().max() <= 1e-5 * flat.abs().max()
    assert flat.abs().sum().item() == pytest.approx(golden["sum_abs"], rel=1e-5)
    assert flat.std().item() == pytest.approx(golden["std"], rel=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_helped_network_answers_as_in_diffusers(name: str) -> None:
    spec, adapter = NETWORKS[name]
    network, hint, text = filled(UNet(spec)), given(f"{name}.hint", (2, 3, 128, 192)).sigmoid(), told(spec, name)
    if text.size is not None:
        text = replace(text, size=text.size[:1].expand(2, -1))
    control = Control(filled(ControlNet(spec)), hint, scale=0.8)
    adapted = Adapted(tuple(filled(T2IAdapter(replace(adapter, channels=NARROW)))(hint)), scale=0.7)
    asked = given(f"{name}.x", (2, 4, 16, 24)), T, text
    same(Steered(network, [control])(*asked), f"{name}.controlnet")
    same(Steered(network, [adapted])(*asked), f"{name}.t2i")
    same(Steered(network, [control, adapted])(*asked), f"{name}.both")


@pytest.mark.parametrize(
    ("spec", "parameters", "tensors"),
    [(SD15, 361_279_120, 340), (SD21, 364_228_240, 340), (SDXL, 1_251_014_160, 844)],
)
def test_released_ones_have_their_number_of_parameters(spec: UNetSpec, parameters: int, tensors: int) -> None:
    with torch.device("meta"):
        network = ControlNet(spec)
    assert sum(weight.numel() for weight in network.parameters()) == parameters
    assert len(network.state_dict()) == tensors


def tiny() -> tuple[ControlNet, Tensor, TextStates]:
    torch.manual_seed(0)
    return filled(ControlNet(TINY)), torch.randn(2, 4, 8, 6), TextStates(torch.randn(2, 3, 16))


def test_untrained_it_says_nothing() -> None:
    _, x, text = tiny()
    said = ControlNet(TINY)(x, T, text, torch.rand(1, 3, 64, 48))
    assert not any(map(torch.any, (*said.skips, said.middle)))


def test_it_says_a_map_for_every_skip_of_its_network() -> None:
    network, x, text = tiny()
    said = network(x, T, text, torch.rand(1, 3, 64, 48))
    assert [each.shape[1] for each in said.skips] == list(TINY.skips())
    assert [tuple(each.shape[2:]) for each in said.skips] == [(8, 6), (8, 6), (4, 3), (4, 3)]


def test_of_an_inpainting_network_it_sees_the_latents_only() -> None:
    network, x, text = tiny()
    hint, more = torch.rand(1, 3, 64, 48), torch.cat([x, torch.randn(2, 5, 8, 6)], dim=1)
    assert torch.equal(network(more, T, text, hint).middle, network(x, T, text, hint).middle)


def test_a_hint_of_the_wrong_size_is_refused() -> None:
    network, x, text = tiny()
    with pytest.raises(InvalidRequest, match=r"hint is \(64, 40\), but must be 64 x 48 pixels"):
        network(x, T, text, torch.rand(1, 3, 64, 40))


def test_strength_is_a_factor_and_soft_is_a_ramp_to_the_bottom() -> None:
    network, x, text = tiny()
    hint = torch.rand(2, 3, 64, 48)
    plain, soft = network(x, T, text, hint), Control(network, hint, 0.5, soft=True).residuals(x, T, text)
    factors = [10 ** (-1 + index / 4) / 2 for index in range(5)]
    for each, said, factor in zip((*plain.skips, plain.middle), (*soft.skips, soft.middle), factors, strict=True):
        torch.testing.assert_close(said, each * factor)


def test_averaged_ones_know_no_places() -> None:
    network, x, text = tiny()
    hint = torch.rand(1, 3, 64, 48)
    plain, averaged = network(x, T, text, hint), Control(network, hint, averaged=True).residuals(x, T, text)
    torch.testing.assert_close(averaged.middle, plain.middle.mean((2, 3), keepdim=True))
    assert Steered(filled(UNet(TINY)), [Control(network, hint, averaged=True)])(x, T, text).shape == x.shape


def test_it_is_silent_outside_its_steps() -> None:
    network, x, text = tiny()
    assert Control(network, torch.rand(1, 3, 64, 48), interval=(0.0, 100.0)).residuals(x, T, text) is NOTHING


def test_one_hint_per_picture_serves_both_halves_of_guidance() -> None:
    network, x, text = tiny()
    hint = torch.rand(2, 3, 64, 48)
    once = Control(network, hint).residuals(x, T, text).middle
    both = Control(network, hint).residuals(x.repeat(2, 1, 1, 1), T.repeat(2), joined(text, text)).middle
    torch.testing.assert_close(both, torch.cat([once, once]))


def test_one_of_another_network_is_refused_in_a_line() -> None:
    network, x, text = tiny()
    other = UNet(replace(TINY, stages=(Stage(32), Stage(32), Stage(64, 1))))
    with pytest.raises(InvalidRequest, match="not made for one another"):
        Steered(other, [Control(network, torch.rand(1, 3, 64, 48))])(x, T, text)
