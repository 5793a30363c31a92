import pytest
import torch

from inkwash.reverse.lms import lms
from inkwash.rng import NoiseSource

LEVELS = torch.tensor([9.0, 7.5, 5.0, 4.2, 3.0, 1.0, 0.6], dtype=torch.float64)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_is_exact_for_slopes_that_are_polynomials_of_sigma(order: int) -> None:
    """With history of `order` slopes, ∫ σ^(order - 1) dσ comes out exactly, on uneven levels too."""
    x = torch.zeros(1, 1, 1, 1, dtype=torch.float64)
    steps = list(lms(lambda x, sigma: x - sigma * sigma ** (order - 1), x, LEVELS, NoiseSource(()), order=order))
    for step in steps[order - 1 :]:
        exact = (step.sigma_next**order - step.sigma**order) / order
        assert step.drift.item() == pytest.approx(exact, rel=1e-12)


def test_one_order_more_is_not_exact() -> None:
    x = torch.zeros(1, 1, 1, 1, dtype=torch.float64)
    *_, step = lms(lambda x, sigma: x - sigma * sigma**4, x, LEVELS, NoiseSource(()))
    assert step.drift.item() != pytest.approx((step.sigma_next**5 - step.sigma**5) / 5, rel=1e-6)
