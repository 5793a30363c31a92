"""The U-Net against the released networks: sizes, names, constants, and numbers made by diffusers."""

import json
import math
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from inkwash.predictor.spec import PETS, SD15, SD21, SDXL, TINY, Stage, UNetSpec
from inkwash.predictor.unet import UNet
from inkwash.types import TextStates

GOLDEN = json.loads((Path(__file__).parent.parent / "golden" / "unet.json").read_text())

SD = (Stage(32, 1), Stage(64, 1), Stage(128, 1), Stage(128))
NARROW = {
    "unet.sd1": UNetSpec(SD, text_width=48, heads=4),
    "unet.sd2": UNetSpec(SD, text_width=64, head_width=16, linear_projection=True),
    "unet.sdxl": UNetSpec(
        (Stage(32), Stage(64, 2), Stage(128, 10)),
        text_width=64,
        head_width=16,
        mid_depth=10,
        linear_projection=True,
        pooled_width=40,
        size_numbers=6,
        size_width=16,
    ),
}
SIZES = torch.tensor([[1024.0, 1024, 0, 0, 1024, 1024], [832, 1216, 16, 8, 1024, 960]])


def drawn(key: str, shape: tuple[int, ...]) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(zlib.crc32(key.encode())))


def filled(network: nn.Module) -> nn.Module:
    """Weights by a rule that goes by their names, so that two implementations can agree without a file."""
    with torch.no_grad():
        for key, weight in network.state_dict().items():
            r = drawn(key, tuple(weight.shape))
            norm = key.endswith(".weight") and "norm" in key.split(".")[-2]
            weight.copy_(r / math.sqrt(r[0].numel()) if r.ndim > 1 else 1 + 0.1 * r if norm else 0.1 * r)
    return network.eval()


def words(spec: UNetSpec, batch: int = 2, tokens: int = 5) -> TextStates:
    pooled = torch.randn(batch, spec.pooled_width) if spec.pooled_width else None
    size = torch.rand(batch, spec.size_numbers) * 1000 if spec.size_numbers else None
    return TextStates(torch.randn(batch, tokens, spec.text_width), pooled, size=size)


def on_meta(spec: UNetSpec) -> UNet:
    with torch.device("meta"):
        return UNet(spec)


@pytest.mark.parametrize(("spec", "count"), [(SD15, 859_520_964), (SD21, 865_910_724), (SDXL, 2_567_463_684)])
def test_released_networks_have_their_number_of_parameters(spec: UNetSpec, count: int) -> None:
    assert sum(weight.numel() for weight in on_meta(spec).parameters()) == count


@pytest.mark.parametrize("name", NARROW)
def test_names_and_shapes_are_those_of_diffusers(name: str) -> None:
    lines = sorted(f"{key} {list(value.shape)}" for key, value in on_meta(NARROW[name]).state_dict().items())
    assert len(lines) == GOLDEN[name]["tensors"]
    assert zlib.crc32("\n".join(lines).encode()) == GOLDEN[name]["keys_crc"]


def test_sd15_has_the_released_names_at_full_width() -> None:
    lines = sorted(f"{key} {list(value.shape)}" for key, value in on_meta(SD15).state_dict().items())
    assert zlib.crc32("\n".join(lines).encode()) == 1_237_089_903


@pytest.mark.parametrize("name", NARROW)
def test_answers_are_those_of_diffusers(name: str) -> None:
    spec, golden = NARROW[name], GOLDEN[name]
    network = filled(UNet(spec))
    pooled = drawn(f"in:{name}.pool", (2, 40)) if spec.pooled_width else None
    text = TextStates(
        drawn(f"in:{name}.ctx", (2, 77, spec.text_width)), pooled, size=SIZES if spec.size_numbers else None
    )
    with torch.no_grad():
        out = network(drawn(f"in:{name}.x", (2, 4, 16, 24)), torch.tensor([981.0, 17.0]), text)
    assert list(out.shape) == golden["shape"]
    picked = out.flatten()[:: golden["stride"]]
    assert (picked - torch.tensor(golden["values"])).abs().max() <= 1e-5 * golden["largest"]
    assert out.double().abs().sum().item() == pytest.approx(golden["sum_abs"], rel=1e-5)


@pytest.mark.parametrize("spec", [SD15, SD21, SDXL, TINY, PETS])
def test_every_norm_has_the_released_eps(spec: UNetSpec) -> None:
    checked = 0
    for name, module in on_meta(spec).named_modules():
        if isinstance(module, nn.GroupNorm):
            transformer = "attentions" in name
            assert module.eps == (1e-6 if transformer else 1e-5), name
            assert module.num_groups == 32, name
        elif isinstance(module, nn.LayerNorm):
            assert module.eps == 1e-5, name
        else:
            continue
        checked += 1
    assert checked > 10


@pytest.mark.parametrize("spec", [TINY, PETS, *NARROW.values()], ids=["tiny", "pets", *NARROW])
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
}


@pytest.mark.parametrize("name", TABLES)
def test_every_table_builds_and_learns(name: str) -> None:
    torch.manual_seed(0)
    spec = TABLES[name]
    network = filled(UNet(spec)).train()
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
