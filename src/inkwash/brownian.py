"""One Brownian path per seed: noise between two levels that is the same whatever the steps between them.

A path is a tree of bridges. Its ends are drawn, then the middle of every interval between its ends, each from a
generator that its place in the tree seeds: a value depends on the seed and the place alone, never on what was asked
before.  (Lévy's construction; Mörters & Peres 2010, theorem 1.3)
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from math import log2, sqrt

import torch
from torch import Tensor

Drawn = Callable[[int, tuple[int, ...]], Tensor]
"""(seed, shape) -> unit Gaussian noise."""

OCTAVES = 40
"""The clock runs from 2^-40 to 2^40: noise levels from a millionth to a million."""
DEPTH = 24
"""Halvings: two times nearer than 80 / 2^24 octaves are one."""
KEPT = 2
GOLDEN, WORD = 0x9E3779B97F4A7C15, 2**64 - 1


@dataclass(frozen=True)
class Path:
    """W(τ) over the clock τ = 1 / σ², in float64; W(b) - W(a) has the variance b - a.

    In this clock the reverse process of variance-exploding diffusion has independent increments: x / σ² gains W.
    """

    seed: int
    draw: Drawn
    known: dict[tuple[int, tuple[int, ...]], Tensor] = field(default_factory=dict, compare=False, repr=False)
    """The last places asked for: a move begins where the one before ended."""

    def between(self, sigma: float, lower: float, shape: tuple[int, ...]) -> Tensor:
        """Unit Gaussian noise, float32: the path's gain from level `sigma` down to `lower`, by its deviation."""
        start, stop = sorted((clock(sigma), clock(lower)))
        if start == stop:
            return torch.zeros(shape)
        gain = self.at(stop, shape) - self.at(start, shape)
        return (gain / sqrt(time(stop) - time(start))).float()

    def at(self, place: int, shape: tuple[int, ...]) -> Tensor:
        """W at a place of the clock, 0 to 2^DEPTH."""
        if (place, shape) not in self.known:
            found = self._descended(place, shape)
            while len(self.known) >= KEPT:
                del self.known[next(iter(self.known))]
            self.known[place, shape] = found
        return self.known[place, shape]

    def _descended(self, place: int, shape: tuple[int, ...]) -> Tensor:
        """Down the tree, from its ends to the place."""
        low, high = 0, 2**DEPTH
        before = sqrt(time(low)) * self._node(0, shape)
        after = before + sqrt(time(high) - time(low)) * self._node(1, shape)
        node = 1
        while place not in (low, high):
            middle = (low + high) // 2
            a, m, b = time(low), time(middle), time(high)
            bridge = sqrt((m - a) / (b - a) * (b - m)) * self._node(2 * node, shape)
            value = before + (m - a) / (b - a) * (after - before) + bridge
            if place < middle:
                high, after, node = middle, value, 2 * node
            else:
                low, before, node = middle, value, 2 * node + 1
        return before if place == low else after

    def _node(self, node: int, shape: tuple[int, ...]) -> Tensor:
        return self.draw(mixed(self.seed, node), shape).double()


def clock(sigma: float) -> int:
    """The place of a noise level on the clock; levels beyond its ends are at them."""
    octave = OCTAVES if sigma <= 0 else min(max(-2 * log2(sigma), -OCTAVES), OCTAVES)
    return round((octave + OCTAVES) / (2 * OCTAVES) * (1 << DEPTH))


@lru_cache(4096)
def time(place: int) -> float:
    """τ at a place: every octave has as many places."""
    return float(2.0 ** (place / 2**DEPTH * 2 * OCTAVES - OCTAVES))


def mixed(seed: int, node: int) -> int:
    """A seed for a node: neighbours share no bits by chance.  (SplitMix64; Steele et al. 2014, fig. 15)"""
    word = (seed + (node + 1) * GOLDEN) & WORD
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & WORD
    return (word ^ (word >> 31)) & (WORD >> 1)
