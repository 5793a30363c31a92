import pytest
import torch
from scipy import stats

from inkwash.reverse.beta import beta_cdf, beta_quantile

SHAPES = pytest.mark.parametrize(("a", "b"), [(0.6, 0.6), (0.3, 0.9), (2.0, 5.0), (1.0, 1.0)])


@SHAPES
def test_cdf_is_scipys(a: float, b: float) -> None:
    x = torch.linspace(0, 1, 101, dtype=torch.float64)
    torch.testing.assert_close(beta_cdf(x, a, b), torch.from_numpy(stats.beta.cdf(x.numpy(), a, b)), rtol=0, atol=1e-13)


@SHAPES
def test_quantile_is_scipys(a: float, b: float) -> None:
    p = torch.cat([torch.tensor([0, 1e-6], dtype=torch.float64), torch.linspace(0.01, 1, 100, dtype=torch.float64)])
    torch.testing.assert_close(
        beta_quantile(p, a, b), torch.from_numpy(stats.beta.ppf(p.numpy(), a, b)), rtol=1e-11, atol=1e-13
    )
