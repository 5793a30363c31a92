"""ControlNets of Stable Diffusion 3 against diffusers', every released kind; and what they add to the large network."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from inkwash.errors import InvalidRequest
from inkwash.predictor.joint_control import JointControl, JointControlNet, JointControlSpec
from inkwash.predictor.joint_steered import JointSteered, adding, shared
from inkwash.predictor.mmdit import MMDiT
from inkwash.predictor.mmdit_spec import SD3_MEDIUM, SD35_LARGE, TINY_MMDIT
from inkwash.predictor.residuals import NOTHING, Residuals
from inkwash.predictor.skipping import leaving_out
from inkwash.types import TextStates
from tools.golden.filling import filled
from tools.joint_controls import config_of

PLAIN = replace(TINY_MMDIT, depth=3, qk_norm=False, dual=())
KINDS = {
    "Stable Diffusion 3": JointControlSpec(PLAIN),
    "3.5 medium": JointControlSpec(replace(TINY_MMDIT, depth=3, dual=(0, 2))),
    "a hole beside": JointControlSpec(replace(PLAIN, depth=2), beside=1),
    "pooled words": JointControlSpec(PLAIN, silent=False),
    "pictures alone": JointControlSpec(replace(PLAIN, text_width=0), worded=False, placed=False, silent=False),
    "pictures alone, own patches": JointControlSpec(replace(PLAIN, text_width=0), worded=False, silent=False),
}
T = torch.tensor([3.0, 900.0])


def words() -> TextStates:
    return TextStates(torch.randn(2, 5, TINY_MMDIT.text_width), torch.randn(2, TINY_MMDIT.pooled_width))


def drawn(spec: JointControlSpec) -> JointControlNet:
    network = JointControlNet(spec)
    for weight in network.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    return network.requires_grad_(False)


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_what_diffusers_says(kind: str) -> None:
    diffusers: Any = pytest.importorskip("diffusers", reason="comes with the extra `bench`", exc_type=ImportError)
    spec, large = KINDS[kind], filled(MMDiT(PLAIN))
    network = drawn(spec)
    told = {name: value for name, value in config_of(spec).items() if not name.startswith("_")}
    theirs = diffusers.SD3ControlNetModel(**told).requires_grad_(False)
    theirs.load_state_dict(network.state_dict())  # strictly: the same names and shapes
    x, seen, text = torch.randn(2, 4, 8, 12), torch.randn(1, 4 + spec.beside, 8, 12), words()
    assert text.pooled is not None
    (expected,) = theirs(
        hidden_states=x if spec.placed else large.pos_embed(x),
        controlnet_cond=seen.expand(2, -1, -1, -1),
        conditioning_scale=0.7,
        encoder_hidden_states=text.states if spec.worded else None,
        pooled_projections=torch.zeros_like(text.pooled) if spec.silent else text.pooled,
        timestep=T,
        return_dict=False,
    )
    found = JointControl(network, seen, 0.7, patches=large.pos_embed).residuals(x, T, text).skips
    assert len(found) == len(expected) == spec.blocks.depth
    for ours, other in zip(found, expected, strict=True):
        assert (ours - other).abs().max() <= 1e-5 * other.abs().max()


@pytest.mark.parametrize("counts", [(1,), (2,), (3,), (5,), (2, 3)])
def test_the_transformer_adds_what_diffusers_adds(counts: tuple[int, ...]) -> None:
    diffusers: Any = pytest.importorskip("diffusers", reason="comes with the extra `bench`", exc_type=ImportError)
    spec = replace(PLAIN, depth=5)
    network, x, text = filled(MMDiT(spec)), torch.randn(2, 4, 8, 12), words()
    theirs = diffusers.SD3Transformer2DModel(
        sample_size=16, patch_size=2, in_channels=4, num_layers=5, attention_head_dim=8, num_attention_heads=2,
        joint_attention_dim=16, caption_projection_dim=16, pooled_projection_dim=12, out_channels=4,
        pos_embed_max_size=24,
    ).requires_grad_(False)  # fmt: skip
    theirs.load_state_dict(network.state_dict())
    lists = [[torch.randn(2, 24, 16) for _ in range(count)] for count in counts]
    whole = [sum((each[shared(n, 5, len(each))] for each in lists), torch.zeros(())) for n in range(5)]
    asked = {"hidden_states": x, "timestep": T, "encoder_hidden_states": text.states, "pooled_projections": text.pooled}
    given = lists[0] if len(lists) == 1 else whole
    expected = theirs(**asked, block_controlnet_hidden_states=given, return_dict=False)[0]
    with adding(network, lists):
        found = network(x, T, text)
    assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()
    assert not torch.allclose(found, network(x, T, text))


def test_residuals_are_spread_evenly_and_the_rest_rounds_down() -> None:
    assert [shared(index, 24, 6) for index in range(24)] == [index // 4 for index in range(24)]
    assert [shared(index, 38, 19) for index in range(38)] == [index // 2 for index in range(38)]
    assert [shared(index, 24, 23) for index in range(24)] == [0, *range(23)]
    assert [shared(index, 3, 4) for index in range(3)] == [0, 1, 2]


class Fixed:
    """Helps with the same residuals at every step."""

    def __init__(self, *skips: Tensor) -> None:
        self.skips = skips

    def residuals(self, x: Tensor, t: Tensor, text: TextStates) -> Residuals:
        return Residuals(self.skips)


def test_helpers_add_up_and_the_network_is_left_as_it_was() -> None:
    network, x, text = filled(MMDiT(PLAIN)), torch.randn(2, 4, 8, 12), words()
    one, two = torch.randn(2, 24, 16), torch.randn(2, 24, 16)
    plain = network(x, T, text)
    both = JointSteered(network, (Fixed(one), Fixed(two)))(x, T, text)
    torch.testing.assert_close(both, JointSteered(network, (Fixed(one + two),))(x, T, text))
    assert torch.equal(JointSteered(network, (Fixed(),))(x, T, text), plain)
    assert torch.equal(network(x, T, text), plain)
    with leaving_out(network, (0, 1, 2)):  # nothing but residuals happens to the patches
        found = JointSteered(network, (Fixed(one),))(x, T, text)
        network.pos_embed.register_forward_hook(lambda _, __, patches: patches + one + one)
        torch.testing.assert_close(found, network(x, T, text))


def test_untaught_it_says_nothing_and_out_of_its_time_it_is_not_asked() -> None:
    network, x, text = JointControlNet(KINDS["Stable Diffusion 3"]), torch.randn(2, 4, 8, 12), words()
    found = JointControl(network, torch.randn(2, 4, 8, 12)).residuals(x, T, text)
    assert all(not each.any() for each in found.skips)
    assert JointControl(network, x, interval=(0.0, 2.0)).residuals(x, T, text) is NOTHING


def test_silence_is_a_prompt_of_zeros() -> None:
    network, x, text = drawn(KINDS["Stable Diffusion 3"]), torch.randn(2, 4, 8, 12), words()
    mute = replace(text, pooled=torch.zeros(2, 12))
    assert all(map(torch.equal, network(x, T, text, x), network(x, T, mute, x)))
    loud = drawn(KINDS["pooled words"])
    assert not torch.equal(loud(x, T, text, x)[0], loud(x, T, mute, x)[0])


def test_what_cannot_be_is_refused_in_a_line() -> None:
    x, text = torch.randn(2, 4, 8, 12), words()
    with pytest.raises(InvalidRequest, match=r"hint is \(8, 8\), but must be latents of \(8, 12\) as the picture"):
        drawn(KINDS["Stable Diffusion 3"])(x, T, text, x[..., :8])
    with pytest.raises(InvalidRequest, match="pooled to 12 numbers"):
        drawn(KINDS["Stable Diffusion 3"])(x, T, replace(text, pooled=None), x)
    with pytest.raises(InvalidRequest, match="patches is None"):
        drawn(KINDS["pictures alone"])(x, T, text, x)


@pytest.mark.parametrize(
    ("spec", "millions"),
    [
        (JointControlSpec(replace(SD3_MEDIUM, depth=6)), 595),
        (JointControlSpec(replace(SD3_MEDIUM, depth=23), beside=1), 2081),
        (JointControlSpec(replace(SD35_LARGE, depth=19), worded=False, placed=False, silent=False), 2151),
    ],
)
def test_released_ones_are_as_large_as_their_files(spec: JointControlSpec, millions: int) -> None:
    """InstantX's 1.19 GB and alimama's 4.16 GB of half floats; Stability's as its table says."""
    with torch.device("meta"):
        network = JointControlNet(spec)
    assert sum(weight.numel() for weight in network.state_dict().values()) / 1e6 == pytest.approx(millions, rel=0.01)
