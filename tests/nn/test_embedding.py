import math

import pytest
import torch

from inkwash.nn.embedding import StepEmbedding, guidance_features, sinusoidal


def test_the_step_is_told_in_cosines_and_then_sines() -> None:
    found = sinusoidal(torch.tensor([3.0]), 8)[0].tolist()
    angles = [3 * 10_000 ** (-index / 4) for index in range(4)]
    assert found == pytest.approx([*map(math.cos, angles), *map(math.sin, angles)], abs=1e-6)


def test_guidance_is_told_in_sines_and_then_cosines_down_to_the_last_frequency() -> None:
    found = guidance_features(torch.tensor([1.5]), 8)[0].tolist()
    angles = [500 * 10_000 ** (-index / 3) for index in range(4)]
    assert found == pytest.approx([*map(math.sin, angles), *map(math.cos, angles)], abs=1e-4)


def test_no_guidance_has_the_angle_zero() -> None:
    assert torch.equal(guidance_features(torch.tensor([1.0])), torch.cat([torch.zeros(1, 128), torch.ones(1, 128)], 1))


def test_guidance_joins_the_features_before_the_first_layer() -> None:
    torch.manual_seed(0)
    layer, x, more = StepEmbedding(4, 6, guidance_width=3), torch.randn(2, 4), torch.randn(2, 3)
    torch.testing.assert_close(layer(x, more), layer(x + more @ layer.cond_proj.weight.T))
