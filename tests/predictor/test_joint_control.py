"""ControlNets of Stable Diffusion 3 against diffusers', every released kind; and what they add to the large network."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from inkwash.errors import InvalidRequest
from inkwash.predictor.joint_control import JointControl, JointControlNet, JointControlSpec
from inkwash.predictor.mmdit import MMDiT
from inkwash.predictor.mmdit_spec import SD3_MEDIUM, SD35_LARGE, TINY_MMDIT
from inkwash.predictor.residuals import NOTHING
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
