"""What ControlNets add to the blocks of SD 3's transformer, against diffusers."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from inkwash.predictor.joint_steered import JointSteered, adding, shared
from inkwash.predictor.mmdit import MMDiT
from inkwash.predictor.mmdit_spec import TINY_MMDIT
from inkwash.predictor.residuals import Residuals
from inkwash.predictor.skipping import leaving_out
from inkwash.types import TextStates
from tools.golden.filling import filled

PLAIN = replace(TINY_MMDIT, depth=3, qk_norm=False, dual=())
T = torch.tensor([3.0, 900.0])


def words() -> TextStates:
    return TextStates(torch.randn(2, 5, TINY_MMDIT.text_width), torch.randn(2, TINY_MMDIT.pooled_width))


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
