"""CFG++: the noise of a step is what separates x from the unguided guess."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from inkwash.denoiser import guided, kept_outside
from inkwash.reverse.registry import SAMPLERS
from inkwash.rng import NoiseSource

PAIRS = {
    "euler_cfg_pp": "euler",
    "euler_ancestral_cfg_pp": "euler_ancestral",
    "dpmpp_2s_ancestral_cfg_pp": "dpmpp_2s_ancestral",
    "dpmpp_2m_cfg_pp": "dpmpp_2m",
    "res_multistep_cfg_pp": "res_multistep",
    "res_multistep_ancestral_cfg_pp": "res_multistep_ancestral",
    "gradient_estimation_cfg_pp": "gradient_estimation",
}
LEVELS = torch.tensor([8.0, 3.0, 1.0, 0.3, 0.0], dtype=torch.float64)
X = LEVELS[0] * torch.linspace(-1, 1, 16, dtype=torch.float64).reshape(1, 1, 4, 4)


def wanted(x: Tensor, sigma: Tensor) -> Tensor:
    return torch.tanh(x / (1 + sigma**2) + 0.5)


def unwanted(x: Tensor, sigma: Tensor) -> Tensor:
    return torch.tanh(x / (1 + sigma**2))


@pytest.mark.parametrize(("plus", "plain"), PAIRS.items())
def test_without_guidance_nothing_is_different(plus: str, plain: str) -> None:
    for one, two in zip(
        *(SAMPLERS[name](unwanted, X, LEVELS, NoiseSource.seeded([0])) for name in (plus, plain)), strict=True
    ):
        torch.testing.assert_close(one.x, two.x)


@pytest.mark.parametrize(("plus", "plain"), PAIRS.items())
def test_guided_it_goes_another_way(plus: str, plain: str) -> None:
    denoise = guided(wanted, unwanted, 0.6)
    ends = [list(SAMPLERS[name](denoise, X, LEVELS, NoiseSource.seeded([0])))[-1].x for name in (plus, plain)]
    assert not torch.allclose(*ends, rtol=1e-3)


def test_euler_is_the_papers_line() -> None:
    """x' = D + σ' (x - U) / σ.  (Chung et al. 2024, alg. 2)"""
    x = X
    for sigma, lower in pairwise(LEVELS):
        u = unwanted(x, sigma)
        d = u + 0.6 * (wanted(x, sigma) - u)
        x = d + lower * (x - u) / sigma
    *_, step = SAMPLERS["euler_cfg_pp"](guided(wanted, unwanted, 0.6), X, LEVELS, NoiseSource.seeded([0]))
    torch.testing.assert_close(step.x, x)


def test_inpainting_keeps_both_guesses_apart() -> None:
    known, mask = torch.full_like(X, 0.25), torch.zeros(1, 1, 4, 4, dtype=torch.float64)
    mask[..., :2] = 1
    denoise = kept_outside(mask, known, guided(wanted, unwanted, 0.6))
    free, kept = (
        list(SAMPLERS["euler_cfg_pp"](ask, X, LEVELS, NoiseSource.seeded([0])))[-1].x
        for ask in (guided(wanted, unwanted, 0.6), denoise)
    )
    torch.testing.assert_close(kept[..., :2], free[..., :2])
    torch.testing.assert_close(kept[..., 2:], known[..., 2:])
