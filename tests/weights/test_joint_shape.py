"""ControlNets of Stable Diffusion 3 by the shapes of their tensors, those of the released ones first."""

from dataclasses import replace

import pytest
import torch

from inkwash.errors import WeightsError
from inkwash.predictor.joint_control import JointControlNet, JointControlSpec
from inkwash.predictor.mmdit_spec import SD3_MEDIUM, SD35_LARGE, SD35_MEDIUM
from inkwash.weights.containers.source import Slot, Source
from inkwash.weights.family import identified
from inkwash.weights.joint_shape import joint_control_spec
from tools.joint_controls import KINDS, config_of

LARGE = replace(SD35_LARGE, depth=19, text_width=0, positions=1, qk_norm=False)
RELEASED = {
    "InstantX": (JointControlSpec(replace(SD3_MEDIUM, depth=6)), "sd3-medium"),
    "alimama": (JointControlSpec(replace(SD3_MEDIUM, depth=23), beside=1), "sd3-medium"),
    "3.5 medium": (JointControlSpec(replace(SD35_MEDIUM, depth=12, dual=tuple(range(12)))), "sd3.5-medium"),
    "Stability": (JointControlSpec(LARGE, worded=False, placed=False, silent=False), "sd3.5-large"),
}


def shapes_of(spec: JointControlSpec) -> Source:
    with torch.device("meta"):
        slots = {name: Slot("F16", tuple(each.shape)) for name, each in JointControlNet(spec).state_dict().items()}
    return Source("here", slots, lambda name: torch.empty(slots[name].shape, device="meta"))


@pytest.mark.parametrize("name", RELEASED)
def test_released_ones_are_told_by_their_shapes(name: str) -> None:
    spec, family = RELEASED[name]
    source = shapes_of(spec)
    found = identified(source)
    assert (found.kind, found.family, found.layout) == ("controlnet", family, "diffusers")
    assert found.details is not None
    assert (found.details["blocks"], "sees" in found.details) == (str(spec.blocks.depth), spec.beside == 1)
    assert joint_control_spec(source, {}) == spec
    assert joint_control_spec(source, config_of(spec)) == spec


def test_a_configuration_tells_what_shapes_do_not() -> None:
    spec = KINDS["worded"]
    source = shapes_of(spec)
    told = {"num_attention_heads": 4, "force_zeros_for_pooled_projection": False}
    found = joint_control_spec(source, told)
    assert (found.blocks.heads, found.blocks.head_width, found.silent) == (4, 32, False)
    foolish = {"num_attention_heads": "many", "extra_conditioning_channels": None}
    assert joint_control_spec(source, foolish) == spec
    with pytest.raises(WeightsError, match="is shown 5 channels beside the hint; one, a hole, is known"):
        joint_control_spec(shapes_of(replace(spec, beside=5)), {})
    odd = replace(source, slots={**source.slots, "pos_embed_input.proj.weight": Slot("F16", (128, 16, 0, 0))})
    for wrong in (odd, source.renamed({name: name for name in source.slots if "blocks.0" not in name})):
        with pytest.raises(WeightsError, match="is no ControlNet of Stable Diffusion 3"):
            joint_control_spec(wrong, {})
