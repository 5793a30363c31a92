"""Did it paint, or did it copy?  Every sample against its nearest and second nearest photograph of the training."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import interpolate

from inkwash.evaluation.distances import pairwise
from inkwash.evaluation.pictures import Pictures, chunks

COPY = 1 / 3
"""A copy is closer to its nearest photograph than this share of the distance to the second nearest."""


@dataclass(frozen=True)
class Neighbours:
    """Row k belongs to sample k: the two smallest distances, and which photograph is nearest."""

    first: Float[Tensor, " n"]
    second: Float[Tensor, " n"]
    nearest: Int[Tensor, " n"]

    @property
    def copied(self) -> Bool[Tensor, " n"]:
        """Whether d1 < d2 / 3.  (Favero et al. 2025)"""
        return self.first < COPY * self.second


@dataclass(frozen=True)
class Copies:
    """Of samples, and of photographs that training never saw, which tell what is ordinary.

    `rate`: share of copies. `nearest`: the 5 %, 50 % and 95 % quantiles of the distance to the nearest photograph.
    `closest_ratio`: the smallest d1 / d2 of all.
    """

    pictures: int
    rate: float
    nearest: tuple[float, float, float]
    closest_ratio: float


def copies(neighbours: Neighbours) -> Copies:
    """The summary of a search."""
    levels = torch.tensor([0.05, 0.5, 0.95], dtype=torch.float64)
    low, middle, high = neighbours.first.double().quantile(levels).tolist()
    return Copies(
        len(neighbours.first),
        neighbours.copied.double().mean().item(),
        (low, middle, high),
        (neighbours.first / neighbours.second.clamp(min=1e-12)).min().item(),
    )


def neighbours(
    samples: Float[Tensor, "n width"], mirrored: Float[Tensor, "n width"], known: Float[Tensor, "m width"]
) -> Neighbours:
    """The nearest of `known`, two or more rows, where a sample or its mirror image may be the closer one.

    A mirrored sample beside the photograph is the sample beside the mirrored photograph, at half the work.
    """
    parts = []
    for part in chunks(len(samples), 256):
        apart = torch.minimum(pairwise(samples[part], known), pairwise(mirrored[part], known))
        parts.append(apart.topk(2, dim=1, largest=False))
    values, places = torch.cat([part.values for part in parts]), torch.cat([part.indices for part in parts])
    return Neighbours(values[:, 0], values[:, 1], places[:, 0])


def small(pictures: Pictures, side: int = 32) -> Float[Tensor, "n width"]:
    """Pictures in [0, 1], shrunk to `side` pixels, one row of numbers each; distances are per number (RMS)."""
    shrunk = [
        interpolate(pictures[part].float() / 255, (side, side), mode="area").flatten(1)
        for part in chunks(len(pictures), 256)
    ]
    rows: Tensor = torch.cat(shrunk) / (3 * side * side) ** 0.5
    return rows


def flipped(pictures: Pictures) -> Pictures:
    """Left becomes right."""
    return pictures.flip(3)
