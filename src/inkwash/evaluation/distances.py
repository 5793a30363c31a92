"""How far a cloud of features is from another: kernel distance, Fréchet distance, precision and recall.

The formulas are those of KID and FID; the features are not Inception's, so the numbers never carry those names.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

Cloud = Float[Tensor, "_ width"]
"""One row of features per picture."""


@dataclass(frozen=True)
class Closeness:
    """Painted pictures against a reference of photographs, all on a classifier's features.

    `kernel` and `frechet` are 0 for equal distributions; `kernel_spread` is the deviation over subsets. `precision`:
    share of the painted that lie among photographs; `recall`: share of photographs that lie among the painted.
    """

    pictures: int
    reference: int
    kernel: float
    kernel_spread: float
    frechet: float
    precision: float
    recall: float


def closeness(painted: Cloud, reference: Cloud) -> Closeness:
    """Every distance at once; deterministic."""
    kernel, spread = kernel_distance_of_subsets(painted, reference)
    precision, recall = precision_recall(painted, reference)
    return Closeness(
        len(painted), len(reference), kernel, spread, frechet_distance(painted, reference), precision, recall
    )


def kernel_distance(a: Cloud, b: Cloud) -> float:
    """Squared maximum mean discrepancy under (x·y / width + 1)³, unbiased.  (Bińkowski et al. 2018, eq. 4)

    May be below 0 for equal distributions. Each cloud needs two pictures or more.
    """
    x, y = a.double(), b.double()
    within_x, within_y, across = _cubic(x, x), _cubic(y, y), _cubic(x, y)
    n, m = len(x), len(y)
    same_x = (within_x.sum() - within_x.diagonal().sum()) / (n * (n - 1))
    same_y = (within_y.sum() - within_y.diagonal().sum()) / (m * (m - 1))
    found: Tensor = same_x + same_y - 2 * across.mean()
    return found.item()


def kernel_distance_of_subsets(
    a: Cloud, b: Cloud, subsets: int = 10, size: int = 500, seed: int = 0
) -> tuple[float, float]:
    """Mean and standard deviation of `kernel_distance` over random subsets of `size` pictures, or all there are."""
    dice = torch.Generator().manual_seed(seed)
    size = min(size, len(a), len(b))
    draws = [
        kernel_distance(a[_some(len(a), size, dice)], b[_some(len(b), size, dice)]) for _ in range(max(2, subsets))
    ]
    found = torch.tensor(draws, dtype=torch.float64)
    return found.mean().item(), found.std().item()


def frechet_distance(a: Cloud, b: Cloud) -> float:
    """Distance of the Gaussians fitted to both clouds.  (Dowson & Landau 1982; Heusel et al. 2017, eq. 6)

    |μa - μb|² + tr(A + B - 2 (√A B √A)^½), in float64. Grows as pictures get fewer: compare equal counts only.
    """
    x, y = a.double(), b.double()
    A, B = torch.cov(x.T), torch.cov(y.T)
    root = _root(A)
    cross = torch.linalg.eigvalsh(root @ B @ root).clamp(min=0).sqrt().sum()
    apart: Tensor = (x.mean(0) - y.mean(0)).square().sum()
    apart = apart + A.trace() + B.trace() - 2 * cross
    return apart.item()


def precision_recall(painted: Cloud, real: Cloud, k: int = 3) -> tuple[float, float]:
    """Shares inside the other cloud, as balls reach to the k-th neighbour.  (Kynkäänniemi et al. 2019, eq. 1-2)"""
    apart = pairwise(painted, real)
    precision = (apart <= _reach(real, k)[None, :]).any(1).double().mean().item()
    recall = (apart <= _reach(painted, k)[:, None]).any(0).double().mean().item()
    return precision, recall


def pairwise(a: Float[Tensor, "n width"], b: Float[Tensor, "m width"]) -> Float[Tensor, "n m"]:
    """Euclidean distance of every row of `a` to every row of `b`, in float64."""
    x, y = a.double(), b.double()
    squared = x.square().sum(1)[:, None] + y.square().sum(1)[None, :] - 2 * x @ y.T
    return squared.clamp(min=0).sqrt()


def _cubic(x: Tensor, y: Tensor) -> Tensor:
    return (x @ y.T / x.shape[1] + 1) ** 3


def _some(count: int, size: int, dice: torch.Generator) -> Tensor:
    return torch.randperm(count, generator=dice)[:size]


def _root(matrix: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    root: Tensor = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    return root


def _reach(cloud: Cloud, k: int) -> Float[Tensor, " _"]:
    return pairwise(cloud, cloud).kthvalue(min(k + 1, len(cloud)), dim=1).values  # the nearest is itself
