"""Randomness is an argument: one stream of Gaussian noise per image."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import count
from math import prod
from typing import Literal

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from inkwash.brownian import Path
from inkwash.types import Latents

Stream = Callable[[tuple[int, ...]], Tensor]
"""A shape -> unit Gaussian noise, float32 on the CPU; each call goes on where the last one ended."""

Mode = Literal["cpu", "philox", "batch"]
"""Whose noise: PyTorch's on the CPU, its on CUDA, or ComfyUI's, where one stream serves a whole batch."""


@dataclass(frozen=True)
class NoiseSource:
    """One stream per image, drawn on the CPU: image k depends on seed k, not on its batch or its device."""

    streams: tuple[Stream, ...]
    together: int | None = None
    """So many images are drawn at once from the first stream: image k depends on its place in the batch."""
    paths: tuple[Path, ...] = ()
    """A Brownian path for each image, for samplers that say between which levels their noise acts."""
    strength: float = 1.0
    """Standard deviation of what `like` and `between` give."""

    @classmethod
    def seeded(cls, seeds: Iterable[int], stream: Callable[[int], Stream] | None = None) -> "NoiseSource":
        """A stream for each seed."""
        return cls(tuple((stream or mersenne)(seed) for seed in seeds))

    @classmethod
    def shared(cls, seed: int, images: int) -> "NoiseSource":
        """One stream for all images."""
        return cls((mersenne(seed),), images)

    def draw(self, shape: tuple[int, ...]) -> Latents:
        """Unit Gaussian noise of `shape` for every image: (images, *shape), float32 on the CPU."""
        if self.together is not None:
            return self.streams[0]((self.together, *shape))
        return torch.stack([stream(shape) for stream in self.streams])

    def like(self, x: Latents) -> Latents:
        """Unit Gaussian noise shaped, placed and typed as `x`; the batch of `x` must be the number of streams."""
        return self._strong(self.draw(tuple(x.shape[1:])).to(x))

    def between(self, x: Latents, sigma: float, lower: float) -> Latents:
        """Noise like `x` for the move from level `sigma` down to `lower`: along the paths where there are some."""
        if not self.paths:
            return self.like(x)
        shape = tuple(x.shape[1:])
        return self._strong(torch.stack([path.between(sigma, lower, shape) for path in self.paths]).to(x))

    def _strong(self, noise: Latents) -> Latents:
        return noise if self.strength == 1 else self.strength * noise


def sources(
    seeds: Iterable[int], mode: Mode = "cpu", delta: int = 0, *, tree: bool = False
) -> tuple[NoiseSource, NoiseSource]:
    """Where the first latents come from, and the noise that samplers add.

    `delta` is added to the seeds of the latter (the web UI's eta noise seed delta); with 0 the same streams go on.
    In "batch" mode the first seed is that of the batch, and samplers have the next one. `tree` gives samplers a path
    for every image besides.
    """
    numbers = list(seeds)
    if tree:
        stream = stream_of(mode)
        paths = tuple(Path(number + delta, lambda seed, shape: stream(seed)(shape)) for number in numbers)
        first, then = sources(numbers, mode, delta)
        return first, replace(then, paths=paths)
    if mode == "batch":
        return (NoiseSource.shared(numbers[0], len(numbers)), NoiseSource.shared(numbers[0] + 1 + delta, len(numbers)))
    stream = stream_of(mode)
    first = NoiseSource.seeded(numbers, stream)
    return first, first if delta == 0 else NoiseSource.seeded((number + delta for number in numbers), stream)


def stream_of(mode: Mode) -> Callable[[int], Stream]:
    """The generator of a mode, from a seed."""
    return philox if mode == "philox" else mersenne


def mersenne(seed: int) -> Stream:
    """PyTorch's generator on the CPU."""
    generator = torch.Generator().manual_seed(seed)
    return lambda shape: torch.randn(shape, generator=generator)


def philox(seed: int) -> Stream:
    """PyTorch's generator on CUDA, as far as floats round alike.

    Value k of draw n comes from number (n, 0, k, 0), by the sine of Box and Muller.
    """
    draws = count()

    def draw(shape: tuple[int, ...]) -> Tensor:
        numbers = torch.zeros(4, prod(shape), dtype=torch.int64)
        numbers[0], numbers[2] = next(draws), torch.arange(prod(shape))
        first, second, _, _ = philox_4x32(numbers, seed)
        unit = (first.double() + 0.5) / 2**32
        angle = (second.double() + 0.5) / 2**32 * 2 * torch.pi
        noise: Tensor = (-2 * unit.log()).sqrt() * angle.sin()
        return noise.float().reshape(shape)

    return draw


def philox_4x32(numbers: Int64[Tensor, "4 n"], seed: int, rounds: int = 10) -> Int64[Tensor, "4 n"]:
    """Four 32-bit words for each number of four, keyed by 64 bits of seed.  (Salmon et al. 2011, 3.3)"""
    keys = [seed & 0xFFFFFFFF, seed >> 32 & 0xFFFFFFFF]
    for _ in range(rounds):
        high_0, low_0 = _product(numbers[0], 0xD2511F53)
        high_2, low_2 = _product(numbers[2], 0xCD9E8D57)
        numbers = torch.stack([high_2 ^ numbers[1] ^ keys[0], low_2, high_0 ^ numbers[3] ^ keys[1], low_0])
        keys = [(keys[0] + 0x9E3779B9) & 0xFFFFFFFF, (keys[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return numbers


def centred(small: Float[Tensor, "b c rows columns"], large: Latents) -> Latents:
    """Seed resize: the noise of a picture of another size, in the middle of this one's; what sticks out is cut."""
    (height, width), (rows, columns) = small.shape[2:], large.shape[2:]
    top, left = (rows - height) // 2, (columns - width) // 2
    into, out_of = (max(top, 0), max(left, 0)), (max(-top, 0), max(-left, 0))
    high, wide = height + 2 * min(top, 0), width + 2 * min(left, 0)
    pasted = large.clone()
    pasted[..., into[0] : into[0] + high, into[1] : into[1] + wide] = small[
        ..., out_of[0] : out_of[0] + high, out_of[1] : out_of[1] + wide
    ]
    return pasted


def between_columns(low: Latents, high: Latents, part: float) -> Latents:
    """Variation seeds as A1111 mixes them: along great circles of every column, not of the whole noise.

    Where both hardly differ it draws straight lines, and its ends are the wrong way round.
    """
    cosine = torch.nn.functional.cosine_similarity(low, high, dim=2)
    straight = (cosine.mean((1, 2), keepdim=True) > 0.9995)[..., None]
    angle = cosine.acos()[:, :, None]
    curved = (((1 - part) * angle).sin() * low + (part * angle).sin() * high) / angle.sin()
    return torch.where(straight, part * low + (1 - part) * high, curved)


def _product(words: Int64[Tensor, " n"], factor: int) -> tuple[Int64[Tensor, " n"], Int64[Tensor, " n"]]:
    """High and low word of 32 x 32 bits, in halves that signed 64 bits can hold."""
    low, high = (words & 0xFFFF) * factor, (words >> 16) * factor
    return (high + (low >> 16)) >> 16, (low + ((high & 0xFFFF) << 16)) & 0xFFFFFFFF
