"""Averages of the weights, whose width may still be chosen when the run is over.  (Karras et al. 2024, 3)"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


def exponent(sigma_rel: float) -> float:
    """gamma of the profile t^gamma whose spread is `sigma_rel` of the run.  (Karras et al. 2024, eq. 123)"""
    spread = sigma_rel**-2
    roots = np.roots([1.0, 7.0, 16.0 - spread, 12.0 - spread])
    return float(roots.real.max())


@dataclass
class Average:
    """Weights averaged with a profile ∝ t^gamma: the width grows with the run, and the start is forgotten."""

    sigma_rel: float
    weights: dict[str, Tensor]

    @classmethod
    def of(cls, model: nn.Module, sigma_rel: float) -> "Average":
        """Begin with a copy of the weights."""
        return cls(sigma_rel, {name: weight.detach().clone() for name, weight in model.state_dict().items()})

    @torch.no_grad()
    def update(self, model: nn.Module, images: int, batch: int) -> None:
        """Take in the weights after a step that brought the clock to `images`.  (Karras et al. 2024, eq. 127)"""
        keep = (1 - batch / images) ** (exponent(self.sigma_rel) + 1)
        now = model.state_dict()
        floats = [name for name, weight in self.weights.items() if weight.is_floating_point()]
        torch._foreach_lerp_([self.weights[name] for name in floats], [now[name] for name in floats], 1 - keep)


@contextmanager
def wearing(model: nn.Module, weights: Mapping[str, Tensor]) -> Iterator[None]:
    """Lend `model` other weights, in evaluation mode; afterwards it is as before."""
    own = {name: weight.detach().clone() for name, weight in model.state_dict().items()}
    was_training = model.training
    model.load_state_dict(dict(weights))
    try:
        model.eval()
        yield
    finally:
        model.load_state_dict(own)
        model.train(was_training)


class Snapshot(NamedTuple):
    """An average as it was when `images` pictures had been seen."""

    images: int
    sigma_rel: float


def mixture(kept: Sequence[Snapshot], wanted: Snapshot) -> NDArray[np.float64]:
    """How much of each kept snapshot makes the wanted average: a least-squares fit of its profile.  (ibid., alg. 3)"""
    gram = np.array([[_overlap(a, b) for b in kept] for a in kept])
    aim = np.array([_overlap(a, wanted) for a in kept])
    shares: NDArray[np.float64] = np.linalg.lstsq(gram, aim, rcond=1e-12)[0]
    return shares


def mixed(parts: Iterator[tuple[float, Mapping[str, Tensor]]]) -> dict[str, Tensor]:
    """Σ share · weights in float32, one snapshot in memory at a time."""
    total: dict[str, Tensor] = {}
    for share, weights in parts:
        for name, weight in weights.items():
            total[name] = total.get(name, torch.zeros(())) + share * weight.float()
    return total


def _overlap(a: Snapshot, b: Snapshot) -> float:
    """∫ of the product of two profiles (g + 1) t^g / T^(g+1), each over 0…T.  (ibid., eq. 153)"""
    g, h = exponent(a.sigma_rel), exponent(b.sigma_rel)
    (early, g), (late, h) = sorted([(float(a.images), g), (float(b.images), h)])
    ratio: float = (early / late) ** h
    return (g + 1) * (h + 1) / (g + h + 1) * ratio / late
