"""The two-peak toy: one number instead of a picture, and everything about it known exactly.

Clean values lie on a cat peak or on a dog peak, never between. Forward diffusion merges the peaks into one cloud of
ink; reverse diffusion, led by the exact score, brings every drop back to one peak or the other.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from inkwash.reverse.step import Sampler
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Sigma, Sigmas

Paths = Float[Tensor, "levels walkers"]
"""Where every walker is at every level, as clean + sigma * eps."""
NEAR = 5.0
"""A value belongs to a peak within so many of its standard deviations."""


@dataclass(frozen=True)
class TwoPeaks:
    """A Gaussian peak of cats at -1 and one of dogs at +1."""

    spread: float = 0.12
    """Standard deviation of each peak."""
    cats: float = 0.5
    """Share of cats, between 0 and 1."""

    def draw(self, count: int, noise: NoiseSource) -> Float[Tensor, " walkers"]:
        """Clean values; the first `cats * count` of them are cats. `noise` has one stream."""
        places = torch.where(torch.arange(count) < round(self.cats * count), -1.0, 1.0)
        return places + self.spread * noise.draw((1, 1, count)).flatten()

    def cat_chance(self, x: Tensor, sigma: Sigma) -> Tensor:
        """The chance that the noisy value `x` began as a cat, by Bayes' rule."""
        total = self.spread**2 + sigma**2
        lean = torch.logit(torch.tensor(self.cats, dtype=torch.float64)).to(x)
        return torch.sigmoid(lean - 2 * x / total)

    def denoise(self, x: Latents, sigma: Sigma) -> Latents:
        """The exact mean of the clean value given `x`: the ideal denoiser.  (Karras et al. 2022, eq. 57)"""
        total = self.spread**2 + sigma**2
        middle = 1 - 2 * self.cat_chance(x, sigma)
        return (self.spread**2 * x + sigma**2 * middle) / total

    def score(self, x: Latents, sigma: Sigma) -> Latents:
        """d log p / dx: which way probability grows.  (Karras et al. 2022, eq. 3)"""
        return (self.denoise(x, sigma) - x) / sigma**2

    def density(self, x: Tensor, sigma: Sigma) -> Tensor:
        """p(x; sigma): the peaks after the ink has spread."""
        total = self.spread**2 + sigma**2
        cat, dog = ((-((x - place) ** 2) / (2 * total)).exp() for place in (-1, 1))
        return (self.cats * cat + (1 - self.cats) * dog) / (2 * torch.pi * total).sqrt()


@dataclass(frozen=True)
class Tally:
    """How many samples came to lie where."""

    cat: int
    dog: int
    between: int


def tally(samples: Float[Tensor, " walkers"], peaks: TwoPeaks) -> Tally:
    """Count the samples near the cat peak, near the dog peak, and anywhere else."""
    cat, dog = ((samples - place).abs() < NEAR * peaks.spread for place in (-1, 1))
    return Tally(int(cat.sum()), int((dog & ~cat).sum()), int((~(cat | dog)).sum()))


def dissolve(clean: Float[Tensor, " walkers"], sigmas: Sigmas, noise: NoiseSource) -> Paths:
    """Forward: every walker takes a random step from each level to the next higher one; `sigmas` rise from 0."""
    paths = [clean]
    for lower, sigma in pairwise(sigmas):
        paths.append(paths[-1] + (sigma**2 - lower**2).sqrt() * noise.draw((1, 1, len(clean))).flatten())
    return torch.stack(paths)


def gather(peaks: TwoPeaks, sampler: Sampler, sigmas: Sigmas, count: int, noise: NoiseSource) -> Paths:
    """Reverse: a sampler leads `count` walkers from pure noise down `sigmas`, with the exact denoiser."""
    x = sigmas[0] * noise.draw((1, 1, count))
    steps = sampler(peaks.denoise, x, sigmas, noise)
    return torch.stack([x.flatten(), *(step.x.flatten() for step in steps)])
