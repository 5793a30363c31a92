import pytest
import torch
from scipy.stats import kstest

from inkwash.rng import NoiseSource


def test_the_same_seed_draws_the_same_noise() -> None:
    one, other = (NoiseSource.seeded([3, 4]) for _ in range(2))
    for _ in range(3):
        assert torch.equal(one.draw((1, 2, 5)), other.draw((1, 2, 5)))


def test_draws_follow_one_another() -> None:
    noise = NoiseSource.seeded([3])
    assert not torch.equal(noise.draw((1, 2, 4)), noise.draw((1, 2, 4)))


def test_image_k_does_not_depend_on_its_batch() -> None:
    together = NoiseSource.seeded([3, 4, 5])
    alone = NoiseSource.seeded([4])
    for _ in range(3):
        assert torch.equal(together.draw((4, 8, 8))[1], alone.draw((4, 8, 8))[0])


def test_the_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    NoiseSource.seeded([3]).draw((1, 2, 2))
    assert torch.equal(torch.get_rng_state(), before)


def test_noise_is_gaussian() -> None:
    drawn = NoiseSource.seeded(range(8)).draw((4, 16, 16))
    assert drawn.shape == (8, 4, 16, 16)
    assert kstest(drawn.flatten().numpy(), "norm").pvalue > 0.01


def test_neighbouring_seeds_share_nothing() -> None:
    first, second = NoiseSource.seeded([7, 8]).draw((4, 32, 32)).flatten(1)
    assert abs(torch.corrcoef(torch.stack([first, second]))[0, 1].item()) < 0.05


def test_like_takes_shape_and_type() -> None:
    found = NoiseSource.seeded([1, 2]).like(torch.zeros(2, 3, 4, 5, dtype=torch.float64))
    assert (found.shape, found.dtype) == ((2, 3, 4, 5), torch.float64)
    assert torch.equal(found.float(), NoiseSource.seeded([1, 2]).draw((3, 4, 5)))


@pytest.mark.parametrize("seed", [0, 2**32, 2**63 - 1])
def test_all_seeds_draw(seed: int) -> None:
    assert NoiseSource.seeded([seed]).draw((1, 2, 2)).isfinite().all()
