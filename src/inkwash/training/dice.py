"""Randomness without a state to save: everything random about a run follows from (seed, place in the run)."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

Dice = np.random.Generator
ORDER, MODEL = 1 << 62, 1 << 61  # streams beside those of the pictures
GOLDEN = 0.6180339887498949  # multiples of it, modulo 1, fill [0, 1) evenly at every length


def dice(seed: int, place: int) -> Dice:
    """The stream of the picture that is seen as number `place`: counter-based, so any place is reached at once."""
    return np.random.Generator(np.random.Philox(key=np.array([seed, place], dtype=np.uint64)))


@lru_cache(maxsize=2)
def order(seed: int, epoch: int, count: int) -> NDArray[np.int64]:
    """The order in which epoch number `epoch` shows `count` pictures."""
    return dice(seed, ORDER + epoch).permutation(count)


def picture_at(seed: int, place: int, count: int) -> int:
    """Which of `count` pictures is seen as number `place`: each once per epoch."""
    return int(order(seed, place // count, count)[place % count])


def choice_at(seed: int, place: int, reach: NDArray[np.float64]) -> int:
    """Which picture is seen as number `place` if shares differ; `reach` is their running sum, up to 1.

    In n places picture k is seen n · share times, rounded up or down.  (systematic sampling)
    """
    count = len(reach)
    at = (picture_at(seed, place, count) + _offset(seed, place // count)) / count
    return min(int(np.searchsorted(reach, at, side="right")), count - 1)


def even(seed: int, place: int) -> float:
    """A number in [0, 1); neighbouring places spread over all of it.  (low discrepancy: Kingma et al. 2021)"""
    return (_start(seed) + place * GOLDEN) % 1.0


@lru_cache(maxsize=2)
def _offset(seed: int, epoch: int) -> float:
    return dice(seed, ORDER + ORDER // 2 + epoch).random()


@lru_cache(maxsize=8)
def _start(seed: int) -> float:
    return dice(seed, ORDER - 1).random()


def normal(stream: Sequence[Dice], shape: tuple[int, ...]) -> Float[Tensor, "b ..."]:
    """Unit Gaussian noise of `shape` for every stream."""
    return torch.from_numpy(np.stack([one.standard_normal(shape, dtype=np.float32) for one in stream]))


def seed_layers(seed: int, place: int) -> None:
    """Seed what layers draw by themselves (weights at birth, dropout): torch keeps that stream for the process."""
    torch.manual_seed(int(dice(seed, MODEL + place).integers(1 << 31)))
