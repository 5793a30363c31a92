import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from inkwash.forward.noising import add_noise, per_image, shrink, snr

SIGMAS = st.floats(1e-3, 1e3)


@given(sigma=SIGMAS)
@settings(deadline=None)
def test_the_noise_has_the_variance_it_says(sigma: float) -> None:
    clean = torch.full((1, 1, 64, 64), 0.3)
    eps = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    added = add_noise(clean, torch.tensor(sigma), eps) - clean
    assert added.std().item() == pytest.approx(sigma, rel=0.02)


@given(sigma=SIGMAS)
@settings(deadline=None)
def test_unit_data_keeps_unit_variance_once_shrunk(sigma: float) -> None:
    clean, eps = torch.randn(2, 1, 1, 128, 128, generator=torch.Generator().manual_seed(0))
    level = torch.tensor(sigma)
    assert (shrink(level) * add_noise(clean, level, eps)).var().item() == pytest.approx(1, rel=0.04)


@given(alphas=st.lists(st.floats(1e-5, 0.9999), min_size=3, max_size=3))
@settings(deadline=None)
def test_agrees_with_the_variance_preserving_formula(alphas: list[float]) -> None:
    """diffusers' add_noise: sqrt(ᾱ) clean + sqrt(1 - ᾱ) eps, with a level for each picture."""
    clean, eps = torch.randn(2, 3, 4, 8, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    alpha = torch.tensor(alphas, dtype=torch.float64)
    sigma = ((1 - alpha) / alpha).sqrt()
    ours = per_image(shrink(sigma)) * add_noise(clean, sigma, eps)
    theirs = per_image(alpha.sqrt()) * clean + per_image((1 - alpha).sqrt()) * eps
    torch.testing.assert_close(ours, theirs)


def test_agrees_with_the_flow_formula() -> None:
    """(1 - s) clean + s eps is (1 - s) times our noisy tensor at sigma = s / (1 - s)."""
    clean, eps = torch.randn(2, 1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    s = torch.tensor(0.3)
    torch.testing.assert_close((1 - s) * add_noise(clean, s / (1 - s), eps), (1 - s) * clean + s * eps)


def test_limits() -> None:
    clean, eps = torch.randn(2, 1, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    assert torch.equal(add_noise(clean, torch.tensor(0.0), eps), clean)
    far = torch.tensor(1e6)
    torch.testing.assert_close(shrink(far) * add_noise(clean, far, eps), eps, rtol=1e-3, atol=1e-5)


def test_every_picture_may_have_its_own_level() -> None:
    clean, eps = torch.randn(2, 2, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    both = add_noise(clean, torch.tensor([0.5, 2.0]), eps)
    for k, sigma in enumerate((0.5, 2.0)):
        assert torch.equal(both[k : k + 1], add_noise(clean[k : k + 1], torch.tensor(sigma), eps[k : k + 1]))


@given(sigma=SIGMAS)
@settings(deadline=None)
def test_snr_falls_as_the_square(sigma: float) -> None:
    level = torch.tensor(sigma, dtype=torch.float64)
    assert snr(level).item() * sigma**2 == pytest.approx(1)
    assert snr(2 * level).item() == pytest.approx(snr(level).item() / 4)
    assert shrink(level).item() == pytest.approx(1 / math.sqrt(1 + sigma**2))
