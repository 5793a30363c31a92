"""Two towers that meet: a text transformer beside a frozen picture network.  (CLIP: Radford et al. 2021, 2.3)"""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import normalize

from inkwash.text.encoder import TextEncoder, TextSpec


class MiniClip(nn.Module):
    """Two towers that meet on a sphere: the text transformer's pooled vector, and a linear map of picture features."""

    def __init__(self, spec: TextSpec, features: Float[Tensor, "n width"]) -> None:
        super().__init__()
        self.text = TextEncoder(spec)
        self.picture = nn.Linear(features.shape[1], spec.pooled)
        self.sharpness = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        self.register_buffer("mean", features.mean(dim=0))
        self.register_buffer("std", features.std(dim=0).clamp(min=1e-3))
        self.mean: Tensor
        self.std: Tensor

    def texts(self, tokens: Int[Tensor, "k n"]) -> Float[Tensor, "k width"]:
        """Captions on the unit sphere."""
        return normalize(self.text(trimmed(tokens, self.text.spec.end)).pooled, dim=-1)

    def pictures(self, features: Float[Tensor, "n width"]) -> Float[Tensor, "n shared"]:
        """Pictures on the unit sphere."""
        return normalize(self.picture((features - self.mean) / self.std), dim=-1)


def contrast(scores: Float[Tensor, "k n"], fits: Bool[Tensor, "k n"]) -> Float[Tensor, ""]:
    """Each caption finds all its pictures, each picture all its captions.  (Radford 2021, fig. 3; Khosla 2020, eq. 2)

    The first caption is the empty one: it must find every picture alike, but no picture has to find it.
    """
    return (_found(scores, fits) + _found(scores[1:].T, fits[1:].T)) / 2


def _found(scores: Tensor, fits: Tensor) -> Tensor:
    target = fits.float() / fits.sum(dim=1, keepdim=True).clamp(min=1)
    terms = -(target * scores.log_softmax(dim=1)).sum(dim=1)
    return terms.sum() / fits.any(dim=1).sum().clamp(min=1)


def trimmed(tokens: Int[Tensor, "k n"], end: int) -> Int[Tensor, "k m"]:
    """Without the columns that only pad: no token looks ahead, so nothing else changes."""
    longest = int((tokens == end).int().argmax(dim=1).max().item()) + 1
    return tokens[:, :longest]
