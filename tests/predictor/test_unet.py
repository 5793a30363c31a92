"""The U-Net: its constants, its tables, and what steers it. Its numbers are in ../tools/test_golden_unets.py."""

from collections import Counter
from dataclasses import replace

import pytest
import torch
from torch import nn

from inkwash.errors import InvalidRequest
from inkwash.nn.attention import Attention, GatedLinear, SpatialTransformer
from inkwash.predictor.spec import PETS, RELEASED, TINY, Stage, UNetSpec
from inkwash.predictor.unet import UNet
from inkwash.types import TextStates
from tools.golden.filling import filled
from tools.golden.unets import SD1


def words(spec: UNetSpec, batch: int = 2, tokens: int = 5) -> TextStates:
    pooled = torch.randn(batch, spec.pooled_width) if spec.pooled_width else None
    size = torch.rand(batch, spec.size_numbers) * 1000 if spec.size_numbers else None
    label = torch.arange(batch) if spec.labels else torch.randn(batch, spec.label_width) if spec.label_width else None
    guidance = torch.randn(batch, spec.guidance_width) if spec.guidance_width else None
    states = torch.randn(batch, tokens, spec.text_width)
    return TextStates(states, pooled, size=size, label=label, guidance=guidance)


def on_meta(spec: UNetSpec) -> UNet:
    with torch.device("meta"):
        return UNet(spec)


@pytest.mark.parametrize("spec", [TINY, PETS, SD1], ids=["tiny", "pets", "sd1"])
@pytest.mark.parametrize("size", [(8, 8), (7, 9), (13, 10), (5, 5)])
def test_any_latent_size_comes_back_as_it_went_in(spec: UNetSpec, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    x = torch.randn(2, spec.channels_in, *size)
    with torch.no_grad():
        out = UNet(spec)(x, torch.tensor([3.0, 900.0]), words(spec))
    assert out.shape == (2, spec.channels_out, *size)


TABLES = {
    "one stage": UNetSpec((Stage(32, 1),), text_width=16, head_width=16),
    "no words on the way": UNetSpec((Stage(32), Stage(64)), text_width=16, head_width=32),
    "deep": UNetSpec((Stage(32, 2), Stage(32, 3)), text_width=16, head_width=16, mid_depth=2),
    "three blocks": UNetSpec((Stage(32), Stage(64, 1), Stage(32, 1)), text_width=16, blocks=3, head_width=32),
    "AdaGN and dropout": replace(TINY, scale_shift=True, dropout=0.1),
    "four heads": replace(TINY, heads=4),
    "pooled": replace(TINY, pooled_width=24),
    "sizes": replace(TINY, size_numbers=6),
    "a class from a table": replace(TINY, labels=7),
    "a class as a vector": replace(TINY, label_width=12),
    "guidance": replace(TINY, guidance_width=8),
    "only words": replace(TINY, stages=(Stage(32), Stage(64, 1, only_words=True))),
    "no bottom": replace(TINY, mid_blocks=0),
    "a bottom without attention": replace(TINY, mid_blocks=1),
    "depths block by block": replace(TINY, stages=(Stage(32, up=(0, 1)), Stage(64, down=(2,), up=(1, 3)))),
}


@pytest.mark.parametrize("name", TABLES)
def test_every_table_builds_and_learns(name: str) -> None:
    torch.manual_seed(0)
    spec = TABLES[name]
    network = filled(UNet(spec)).train().requires_grad_()
    out = network(torch.randn(2, spec.channels_in, 8, 8), torch.tensor([1.0, 2.0]), words(spec))
    out.square().mean().backward()
    assert out.shape == (2, spec.channels_out, 8, 8)
    unused = [name for name, weight in network.named_parameters() if weight.grad is None]
    assert unused == []


@pytest.mark.parametrize("spec", [TINY, PETS], ids=["tiny", "pets"])
def test_starts_as_the_constant_zero(spec: UNetSpec) -> None:
    torch.manual_seed(0)
    out = UNet(spec)(torch.randn(2, spec.channels_in, 8, 8), torch.tensor([1.0, 999.0]), words(spec))
    assert torch.equal(out, torch.zeros_like(out))


def test_words_and_step_steer_the_answer() -> None:
    torch.manual_seed(0)
    network, x, text = filled(UNet(PETS)), torch.randn(2, PETS.channels_in, 8, 8), words(PETS)
    t = torch.tensor([500.0, 500.0])
    with torch.no_grad():
        base = network(x, t, text)
        assert not torch.allclose(base, network(x, t + 100, text))
        assert not torch.allclose(base, network(x, t, replace(text, states=text.states.flip(0))))
        assert not torch.allclose(base, network(x, t, replace(text, pooled=-text.pooled)))


def test_padding_that_is_masked_has_no_say() -> None:
    torch.manual_seed(0)
    network, x, t, text = (
        filled(UNet(PETS)),
        torch.randn(2, PETS.channels_in, 8, 8),
        torch.tensor([5.0, 6.0]),
        words(PETS),
    )
    keep = torch.tensor([[True] * 3 + [False] * 2] * 2)
    other = text.states.clone()
    other[:, 3:] = 100
    with torch.no_grad():
        masked = network(x, t, replace(text, keep=keep))
        assert torch.equal(masked, network(x, t, replace(text, states=other, keep=keep)))
        short = replace(text, states=text.states[:, :3])
        torch.testing.assert_close(masked, network(x, t, short), atol=1e-5, rtol=1e-5)


def test_pets_is_a_network_for_a_laptop() -> None:
    assert 12e6 < sum(weight.numel() for weight in on_meta(PETS).parameters()) < 20e6


def test_other_channels_change_only_the_two_ends() -> None:
    plain, other = on_meta(TINY).state_dict(), on_meta(replace(TINY, channels_in=9, channels_out=8)).state_dict()
    changed = {name: tuple(other[name].shape) for name in plain if plain[name].shape != other[name].shape}
    assert plain.keys() == other.keys()
    assert changed == {"conv_in.weight": (32, 9, 3, 3), "conv_out.weight": (8, 32, 3, 3), "conv_out.bias": (8,)}


@pytest.mark.parametrize("name", ["sd15", "x4-upscaler", "sdxl", "sdxl-refiner", "koala-700m"])
def test_norms_heads_and_activations_are_the_released_ones(name: str) -> None:
    """Some of these mistakes move the answer by less than rounding does, so they are looked up and not measured."""
    network, seen = on_meta(RELEASED[name]), Counter[str]()
    for path, module in network.named_modules():
        seen[type(module).__name__] += 1
        match module:
            case nn.GroupNorm():
                assert module.eps == (1e-6 if "attentions" in path else 1e-5), path
                assert module.num_groups == 32, path
            case nn.LayerNorm():
                assert module.eps == 1e-5, path
            case Attention():
                width = module.to_q.out_features
                assert module.heads == (8 if name in ("sd15", "x4-upscaler") else width // 64), path
                assert {module.to_q.bias, module.to_k.bias, module.to_v.bias} == {None}, path
                assert module.to_out[0].bias is not None, path
            case SpatialTransformer():
                assert isinstance(module.proj_in, nn.Conv2d if name == "sd15" else nn.Linear), path
    assert min(seen["GroupNorm"], seen["Attention"]) > 10


def test_the_gate_of_the_feed_forward_is_the_exact_gelu() -> None:
    layer, x = GatedLinear(3, 5), torch.randn(4, 3)
    value, gate = layer.proj(x).chunk(2, dim=-1)
    exact = value * gate * 0.5 * (1 + torch.erf(gate / 2**0.5))
    torch.testing.assert_close(layer(x), exact, atol=1e-6, rtol=1e-6)


def test_on_the_first_stages_the_upscaler_looks_at_words_twice() -> None:
    network = on_meta(RELEASED["x4-upscaler"])
    widths = {path: module.to_k.in_features for path, module in network.named_modules() if path.endswith("attn1")}
    assert widths["down_blocks.1.attentions.0.transformer_blocks.0.attn1"] == 1024
    assert widths["up_blocks.2.attentions.1.transformer_blocks.0.attn1"] == 1024
    assert widths["up_blocks.1.attentions.2.transformer_blocks.0.attn1"] == 1024
    own = {path for path in widths if path.startswith(("mid_block", "down_blocks.3", "up_blocks.0"))}
    assert {module.only_words for path, module in network.named_modules() if path + ".attn1" in own} == {False}


def test_channels_beside_the_latents_are_the_last_ones() -> None:
    torch.manual_seed(0)
    network, t = filled(UNet(replace(TINY, channels_in=9))), torch.tensor([3.0, 700.0])
    x, text = torch.randn(2, 9, 8, 8), words(TINY)
    apart = network(x[:, :4], t, replace(text, beside=x[:, 4:]))
    assert torch.equal(network(x, t, text), apart)


def test_without_guidance_a_consistency_model_hears_zeros() -> None:
    torch.manual_seed(0)
    spec = replace(TINY, guidance_width=8)
    network, x, t, text = filled(UNet(spec)), torch.randn(2, 4, 8, 8), torch.tensor([3.0, 700.0]), words(TINY)
    silent = network(x, t, replace(text, guidance=torch.zeros(2, 8)))
    assert torch.equal(network(x, t, text), silent)
    assert not torch.allclose(network(x, t, words(spec)), silent)


@pytest.mark.parametrize("spec", [replace(TINY, labels=7), replace(TINY, label_width=12)])
def test_a_label_that_is_wanted_must_be_there(spec: UNetSpec) -> None:
    with pytest.raises(InvalidRequest, match="label is None, but must be given"):
        UNet(spec)(torch.randn(1, 4, 8, 8), torch.tensor([3.0]), words(TINY, batch=1))
