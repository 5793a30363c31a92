import pytest
import torch

from inkwash.reverse.churn import STILL, Churn, stirred
from inkwash.rng import NoiseSource

SIGMA = torch.tensor(2.0)


def test_without_churn_nothing_moves() -> None:
    raised, random = stirred(torch.zeros(1, 1, 2, 2), SIGMA, 10, NoiseSource.seeded([1]), STILL)
    assert raised.item() == 2.0
    assert random is None


@pytest.mark.parametrize("churn", [Churn(5.0, low=2.1), Churn(5.0, high=1.9)])
def test_acts_only_between_its_levels(churn: Churn) -> None:
    assert stirred(torch.zeros(1, 1, 2, 2), SIGMA, 10, NoiseSource.seeded([1]), churn)[1] is None


def test_the_noise_lifts_to_the_raised_level() -> None:
    raised, random = stirred(torch.zeros(1, 1, 200, 200), SIGMA, 10, NoiseSource.seeded([1]), Churn(3.0))
    assert raised.item() == pytest.approx(2.6)
    assert random is not None
    assert random.std().item() == pytest.approx((2.6**2 - 2**2) ** 0.5, rel=0.02)


def test_a_step_is_raised_at_most_by_the_square_root_of_two() -> None:
    raised, _ = stirred(torch.zeros(1, 1, 2, 2), SIGMA, 10, NoiseSource.seeded([1]), Churn(1000.0))
    assert raised.item() == pytest.approx(2 * 2**0.5)
