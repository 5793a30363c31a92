import pytest
import scipy.linalg
import torch

from inkwash.evaluation.distances import (
    closeness,
    frechet_distance,
    kernel_distance,
    kernel_distance_of_subsets,
    pairwise,
    precision_recall,
)


def cloud(count: int, width: int, seed: int, shift: float = 0.0, scale: float = 1.0) -> torch.Tensor:
    return shift + scale * torch.randn(count, width, generator=torch.Generator().manual_seed(seed))


def exactly(mean: torch.Tensor, variances: torch.Tensor, count: int = 200) -> torch.Tensor:
    """A cloud whose sample mean and diagonal covariance are exactly these."""
    x = cloud(count, len(mean), 0).double()
    x = x - x.mean(0)
    x = x @ torch.linalg.inv(torch.linalg.cholesky(torch.cov(x.T))).T
    return x * variances.sqrt() + mean


def test_frechet_distance_of_gaussians_is_the_closed_form() -> None:
    a = exactly(torch.tensor([0.0, 0.0, 1.0]).double(), torch.tensor([1.0, 4.0, 9.0]).double())
    b = exactly(torch.tensor([3.0, 0.0, 1.0]).double(), torch.tensor([1.0, 1.0, 4.0]).double())
    assert frechet_distance(a, b) == pytest.approx(3**2 + 0 + (2 - 1) ** 2 + (3 - 2) ** 2)


def test_frechet_distance_agrees_with_a_general_matrix_root() -> None:
    a, b = cloud(60, 8, 1), cloud(50, 8, 2, shift=0.3) @ cloud(8, 8, 3)
    x, y = a.double(), b.double()
    A, B = torch.cov(x.T), torch.cov(y.T)
    root = scipy.linalg.sqrtm((A @ B).numpy())
    wanted = ((x.mean(0) - y.mean(0)) ** 2).sum() + A.trace() + B.trace() - 2 * root.real.trace()
    assert frechet_distance(a, b) == pytest.approx(wanted.item(), rel=1e-9)


def test_frechet_distance_is_symmetric_and_survives_fewer_pictures_than_features() -> None:
    a, b = cloud(10, 40, 1), cloud(12, 40, 2)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-6)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-5)


def test_kernel_distance_is_the_double_sum_over_different_pictures() -> None:
    x, y = cloud(5, 3, 1).double(), cloud(4, 3, 2).double()

    def k(a: torch.Tensor, b: torch.Tensor) -> float:
        return ((a @ b).item() / 3 + 1) ** 3

    wanted = sum(k(a, b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j) / 20
    wanted += sum(k(a, b) for i, a in enumerate(y) for j, b in enumerate(y) if i != j) / 12
    wanted -= 2 * sum(k(a, b) for a in x for b in y) / 20
    assert kernel_distance(x, y) == pytest.approx(wanted)


def test_kernel_distance_of_equal_distributions_is_zero_on_average() -> None:
    draws = torch.tensor([kernel_distance(cloud(20, 6, 2 * n), cloud(30, 6, 2 * n + 1)) for n in range(400)])
    assert abs(draws.mean()) < 3 * draws.std() / 400**0.5
    assert draws.min() < 0  # unbiased means that it may be negative


def test_kernel_distance_grows_with_the_shift() -> None:
    near, far = (kernel_distance(cloud(100, 6, 1), cloud(100, 6, 2, shift=s)) for s in (0.5, 1.0))
    assert 0 < near < far


def test_subsets_are_the_same_every_time_and_centre_on_the_whole() -> None:
    a, b = cloud(300, 4, 1), cloud(300, 4, 2, shift=0.5)
    mean, spread = kernel_distance_of_subsets(a, b, subsets=20, size=150)
    assert (mean, spread) == kernel_distance_of_subsets(a, b, subsets=20, size=150)
    assert mean == pytest.approx(kernel_distance(a, b), abs=spread)


def test_precision_falls_outside_and_recall_falls_when_painting_one_thing() -> None:
    real = cloud(200, 4, 1)
    assert precision_recall(real, real) == (1.0, 1.0)
    assert precision_recall(real + 100, real) == (0.0, 0.0)
    one_thing = real[:1] + 0.01 * cloud(200, 4, 2)
    precision, recall = precision_recall(one_thing, real)
    assert precision > 0.95
    assert recall < 0.05


def test_pairwise_is_the_euclidean_distance() -> None:
    a, b = cloud(5, 7, 1), cloud(6, 7, 2)
    wanted = (a[:, None] - b[None, :]).double().square().sum(2).sqrt()
    torch.testing.assert_close(pairwise(a, b), wanted, rtol=1e-6, atol=1e-6)
    assert pairwise(a, a).diagonal().max() < 1e-6


def test_closeness_gathers_them_all() -> None:
    a, b = cloud(40, 4, 1), cloud(60, 4, 2)
    found = closeness(a, b)
    assert (found.pictures, found.reference) == (40, 60)
    assert found.frechet == frechet_distance(a, b)
    assert (found.precision, found.recall) == precision_recall(a, b)
