"""Randomness is an argument: one stream of Gaussian noise per image."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch

from inkwash.types import Latents


@dataclass(frozen=True)
class NoiseSource:
    """One stream per image, drawn on the CPU: image k depends on seed k, not on its batch or its device."""

    streams: tuple[torch.Generator, ...]

    @classmethod
    def seeded(cls, seeds: Iterable[int]) -> "NoiseSource":
        """A stream for each seed."""
        return cls(tuple(torch.Generator().manual_seed(seed) for seed in seeds))

    def draw(self, shape: tuple[int, ...]) -> Latents:
        """Unit Gaussian noise of `shape` for every image: (images, *shape), float32 on the CPU."""
        return torch.stack([torch.randn(shape, generator=stream) for stream in self.streams])

    def like(self, x: Latents) -> Latents:
        """Unit Gaussian noise shaped, placed and typed as `x`; the batch of `x` must be the number of streams."""
        return self.draw(tuple(x.shape[1:])).to(x)
