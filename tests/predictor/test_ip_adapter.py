"""IP-Adapters against diffusers (tests/golden/steered.json), and what their hooks leave behind."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from inkwash.errors import InvalidRequest
from inkwash.predictor.attention_maps import attention_maps
from inkwash.predictor.ip_adapter import Glance, IPAdapter, cross_attentions, cross_widths, looking_at_pictures
from inkwash.predictor.picture_tokens import IPAdapterSpec
from inkwash.predictor.spec import SD15, SDXL, TINY
from inkwash.predictor.unet import UNet
from inkwash.types import TextStates, joined
from tools.golden.filling import filled, given
from tools.golden.unets import SD1, told

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "steered.json").read_text())
T = torch.tensor([500.0, 20.0])
SMALL = IPAdapterSpec(cross_widths(TINY), text_width=16, picture_width=8, tokens=2)


@pytest.mark.parametrize("kind", ["plain", "plus"])
def test_a_network_that_looks_at_pictures_answers_as_in_diffusers(kind: str) -> None:
    name = f"steered.sd1.ip_{kind}"
    network, plain = filled(UNet(SD1)), IPAdapterSpec(cross_widths(SD1), text_width=48, picture_width=32)
    spec = replace(plain, kind=kind, tokens=4 if kind == "plain" else 6, inner_width=128)
    adapter = filled(IPAdapter(spec))
    tokens = adapter.tokens(given(f"{name}.features", (2, 32) if kind == "plain" else (2, 17, 32)))
    text = replace(told(SD1, name), pictures=(tokens,))
    with looking_at_pictures(network, Glance(adapter, 0.6)):
        found = network(given(f"{name}.x", (2, 4, 16, 24)), T, text)
    golden, flat = GOLDEN[name], found.double().flatten()
    ends = torch.tensor(golden["head"] + golden["tail"], dtype=torch.float64)
    assert (torch.cat([flat[:6], flat[-6:]]) - ends).abs().max() <= 1e-5 * flat.abs().max()
    assert flat.abs().sum().item() == pytest.approx(golden["sum_abs"], rel=1e-5)


def test_attentions_are_counted_down_up_and_at_the_bottom() -> None:
    widths = (32, 32, 64, 64, *[128] * 5, *[64] * 3, *[32] * 3, 128)
    assert cross_widths(SD1) == widths
    assert len(cross_widths(SD15)) == 16
    assert len(cross_widths(SDXL)) == 70


def test_names_are_those_of_the_released_files() -> None:
    names = list(IPAdapter(SMALL).state_dict())
    assert names[:4] == [
        "image_proj.proj.weight",
        "image_proj.proj.bias",
        "image_proj.norm.weight",
        "image_proj.norm.bias",
    ]
    assert names[4:6] == ["ip_adapter.1.to_k_ip.weight", "ip_adapter.1.to_v_ip.weight"]
    assert names[-1] == f"ip_adapter.{2 * len(SMALL.widths) - 1}.to_v_ip.weight"


def test_the_resampler_has_the_released_names_and_norms() -> None:
    adapter = IPAdapter(replace(SMALL, kind="plus", inner_width=64, depth=1))
    names = {name.removeprefix("image_proj.") for name in adapter.state_dict() if name.startswith("image_proj.layers")}
    assert names == {
        *(f"layers.0.0.{part}" for part in ("norm1.weight", "norm1.bias", "norm2.weight", "norm2.bias")),
        *(f"layers.0.0.{part}.weight" for part in ("to_q", "to_kv", "to_out")),
        *(f"layers.0.1.{part}" for part in ("0.weight", "0.bias", "1.weight", "3.weight")),
    }
    assert {module.eps for module in adapter.modules() if isinstance(module, nn.LayerNorm)} == {1e-5}


@pytest.mark.parametrize(
    ("kind", "features", "tokens"), [("plain", (2, 8), 2), ("plus", (2, 17, 8), 2), ("full", (2, 17, 8), 17)]
)
def test_a_picture_becomes_its_tokens(kind: str, features: tuple[int, ...], tokens: int) -> None:
    adapter = IPAdapter(replace(SMALL, kind=kind, inner_width=64))
    assert adapter.tokens(torch.randn(features)).shape == (2, tokens, 16)


def asked(pictures: int = 1) -> tuple[Tensor, Tensor, TextStates]:
    tokens = tuple(torch.randn(2, 2, 16) for _ in range(pictures))
    return torch.randn(2, 4, 8, 8), T, TextStates(torch.randn(2, 3, 16), pictures=tokens)


def parts() -> tuple[UNet, IPAdapter]:
    torch.manual_seed(0)
    return filled(UNet(TINY)), filled(IPAdapter(SMALL))


def test_without_pictures_and_after_the_block_the_network_is_itself() -> None:
    (network, adapter), (x, t, text) = parts(), asked()
    before = network(x, t, text)
    with looking_at_pictures(network, Glance(adapter)):
        assert torch.equal(network(x, t, replace(text, pictures=())), before)
        assert not torch.allclose(network(x, t, text), before)
    assert torch.equal(network(x, t, text), before)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


def test_strength_zero_and_other_steps_change_nothing() -> None:
    (network, adapter), question = parts(), asked()
    before = network(*question)
    for glance in (Glance(adapter, 0.0), Glance(adapter, interval=(0.0, 400.0))):
        with looking_at_pictures(network, glance):
            assert torch.equal(network(*question), before)


def test_the_second_term_is_an_attention_of_its_own() -> None:
    (network, adapter), (_, _, text) = parts(), asked()
    layer, added = cross_attentions(network)[0], adapter.ip_adapter["1"]
    x, tokens = torch.randn(2, 6, layer.to_q.in_features), text.pictures[0]
    q, k, v = (layer.split(part) for part in (layer.to_q(x), added.to_k_ip(tokens), added.to_v_ip(tokens)))
    by_hand = (q @ k.transpose(2, 3) * q.shape[-1] ** -0.5).softmax(-1) @ v
    torch.testing.assert_close(added(layer, layer.to_q(x), tokens), by_hand.transpose(1, 2).flatten(2))


def test_several_adapters_look_at_pictures_of_their_own() -> None:
    (network, adapter), (x, t, text) = parts(), asked(2)
    swapped = replace(text, pictures=text.pictures[::-1])
    with looking_at_pictures(network, Glance(adapter, 0.5, place=0)):
        first = network(x, t, text)
        with looking_at_pictures(network, Glance(adapter, 0.3, place=1)):
            both = network(x, t, text)
            assert not torch.allclose(both, network(x, t, swapped))
        assert torch.equal(network(x, t, text), first)
    with (
        looking_at_pictures(network, Glance(adapter, 0.3, place=0)),
        looking_at_pictures(network, Glance(adapter, 0.5, place=1)),
    ):
        torch.testing.assert_close(network(x, t, swapped), both)


def test_both_halves_of_guidance_have_their_own_pictures() -> None:
    (network, adapter), (x, t, text) = parts(), asked()
    unwanted = replace(text, pictures=(torch.zeros(2, 2, 16),))
    with looking_at_pictures(network, Glance(adapter)):
        apart = torch.cat([network(x, t, text), network(x, t, unwanted)])
        torch.testing.assert_close(network(x.repeat(2, 1, 1, 1), t.repeat(2), joined(text, unwanted)), apart)


def test_watching_what_words_are_looked_at_goes_along() -> None:
    (network, adapter), (x, t, text) = parts(), asked()
    text = replace(text, keep=torch.tensor([[True, True, False], [True, True, True]]))
    with looking_at_pictures(network, Glance(adapter)):
        before = network(x, t, text)
        with attention_maps(network):
            assert torch.equal(network(x, t, text), before)


def test_an_adapter_of_another_network_is_refused() -> None:
    network, _ = parts()
    other = IPAdapter(replace(SMALL, widths=(64, 64)))
    with pytest.raises(InvalidRequest, match="IP-Adapter is"), looking_at_pictures(network, Glance(other)):
        pass
