"""CLIP's vision tower against the released ones."""

import pytest
import torch
from torch import nn
from torch.nn.functional import gelu

from inkwash.nn.tower import Mlp, SelfAttention, quick_gelu
from inkwash.text.vision import DEVIATION, MEAN, VIT_BIGG, VIT_H, VIT_L, VisionEncoder, VisionSpec, prepared

SMALL = VisionSpec(16, 3, 2, 24, projection=6, patch=4, size=8)
RELEASED = [(VIT_L, 303_966_208, 392), (VIT_H, 632_076_800, 520), (VIT_BIGG, 1_844_907_264, 776)]


@pytest.mark.parametrize(("spec", "parameters", "tensors"), RELEASED)
def test_released_towers_have_their_sizes_and_constants(spec: VisionSpec, parameters: int, tensors: int) -> None:
    with torch.device("meta"):
        encoder = VisionEncoder(spec)
    assert sum(weight.numel() for weight in encoder.parameters()) == parameters
    assert len(encoder.state_dict()) == tensors
    norms = [module for module in encoder.modules() if isinstance(module, nn.LayerNorm)]
    assert len(norms) == 2 * spec.layers + 2
    assert all(norm.eps == 1e-5 for norm in norms)
    wanted = quick_gelu if spec is VIT_L else gelu
    assert {module.activation for module in encoder.modules() if isinstance(module, Mlp)} == {wanted}
    heads = {(module.heads, module.causal) for module in encoder.modules() if isinstance(module, SelfAttention)}
    assert heads == {(16, False)}


def test_states_leave_before_the_last_layer_and_the_pooled_vector_after_it() -> None:
    torch.manual_seed(0)
    encoder, pixels = VisionEncoder(SMALL), torch.randn(2, 3, 8, 8)
    with torch.no_grad():
        found = encoder(pixels)
        for weight in encoder.vision_model.encoder.layers[-1].parameters():
            weight.add_(0.1)
        later = encoder(pixels)
    assert found.states.shape == (2, 5, 16)
    assert found.pooled.shape == (2, 6)
    assert torch.equal(found.states, later.states)
    assert not torch.allclose(found.pooled, later.pooled)


def test_the_whole_sees_every_patch() -> None:
    torch.manual_seed(0)
    encoder, pixels = VisionEncoder(SMALL), torch.randn(1, 3, 8, 8)
    changed = pixels.clone()
    changed[..., -1, -1] += 3
    with torch.no_grad():
        assert not torch.allclose(encoder(pixels).pooled, encoder(changed).pooled)


def test_a_picture_is_prepared_in_deviations_from_the_mean() -> None:
    grey = torch.full((2, 3, 8, 8), 2 * 100 / 255 - 1)
    wanted = [(100 / 255 - mean) / deviation for mean, deviation in zip(MEAN, DEVIATION, strict=True)]
    found = prepared(grey, 8)
    torch.testing.assert_close(found, torch.tensor(wanted)[None, :, None, None].expand(2, 3, 8, 8))


@pytest.mark.parametrize(("high", "wide"), [(8, 12), (12, 8), (30, 45), (4, 6), (8, 8)])
def test_the_middle_square_is_taken_from_any_shape(high: int, wide: int) -> None:
    ramp = torch.linspace(-1, 1, wide).expand(1, 3, high, wide)
    found = prepared(ramp, 8)
    assert found.shape == (1, 3, 8, 8)
    level = found[0, 0, 4] * DEVIATION[0] + MEAN[0]
    assert (level.diff() > 0).all()
    assert level.mean().item() == pytest.approx(0.5, abs=0.02)  # cut evenly left and right


def test_a_square_of_the_right_size_loses_nothing() -> None:
    levels = torch.arange(192, dtype=torch.float32).reshape(1, 3, 8, 8)
    found = prepared(levels / 127.5 - 1, 8)
    back = (found * torch.tensor(DEVIATION)[:, None, None] + torch.tensor(MEAN)[:, None, None]) * 255
    torch.testing.assert_close(back, levels, atol=1e-3, rtol=0)
