"""From the shelf to batches: which picture, which caption, which side, follows from the place in the run."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from inkwash.training.cache import Shelf
from inkwash.training.config import TrainConfig
from inkwash.training.dice import Dice, choice_at, dice, even, normal
from inkwash.training.objective import Batch
from inkwash.training.workers import ALONE, Team


@dataclass(frozen=True)
class Draw:
    """One choice from the shelf: a picture, one of its sides, one of its captions (0 is the empty one)."""

    picture: int
    side: int
    text: int


def batches(
    shelf: Shelf, learn: Sequence[int], config: TrainConfig, seen: int, team: Team = ALONE
) -> Iterator[list[Batch]]:
    """This worker's share of every batch from `seen` pictures on, in parts, until the run's end."""
    pick = picker(shelf, learn, config)
    share = config.batch // team.count
    size = share // config.accumulate
    for start in range(seen, config.images - config.batch + 1, config.batch):
        first = start + team.rank * share
        yield [batch_at(shelf, pick, config, range(place, place + size)) for place in range(first, first + share, size)]


Pick = Callable[[int], int]
"""A place in the run -> the picture that is seen there."""


def picker(shelf: Shelf, learn: Sequence[int], config: TrainConfig) -> Pick:
    """Choose among the pictures to learn, each with its share."""
    reach = shares(shelf, learn, config.balance).cumsum()
    return lambda place: learn[choice_at(config.seed, place, reach)]


def shares(shelf: Shelf, learn: Sequence[int], balance: float) -> NDArray[np.float64]:
    """The part of a run that each picture to learn gets; they add up to 1."""
    kinds = np.array([int(shelf.words.choices(picture)[0]) for picture in learn])
    _, kind, alike = np.unique(kinds, return_inverse=True, return_counts=True)
    weights = alike[kind].astype(np.float64) ** -balance
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def batch_at(shelf: Shelf, pick: Pick, config: TrainConfig, places: range) -> Batch:
    """The pictures seen as numbers `places` of the run."""
    streams = [dice(config.seed, place) for place in places]
    draws = [draw(shelf, pick(place), config, stream) for place, stream in zip(places, streams, strict=True)]
    level = torch.tensor([even(config.seed, place) for place in places], dtype=torch.float64).float()
    return taken(shelf, draws, streams, level)


def draw(shelf: Shelf, picture: int, config: TrainConfig, stream: Dice) -> Draw:
    """Roll for a side and a caption."""
    side, caption, drop = stream.random(3)
    choices = shelf.words.choices(picture)
    text = 0 if drop < config.caption_dropout else int(choices[int(caption * len(choices))])
    return Draw(picture, int(side * shelf.mean.shape[1]), text)


def taken(shelf: Shelf, draws: Sequence[Draw], streams: Sequence[Dice], level: torch.Tensor) -> Batch:
    """The drawn pictures, each a fresh draw from the distribution of its latents."""
    pictures = torch.tensor([draw.picture for draw in draws])
    sides = torch.tensor([draw.side for draw in draws])
    mean, spread = shelf.mean[pictures, sides].float(), shelf.spread[pictures, sides].float()
    clean = mean + spread * normal(streams, tuple(mean.shape[1:]))
    clean = clean.contiguous(memory_format=torch.channels_last)
    view = None if shelf.views is None else shelf.views[pictures, sides].float()
    return Batch(clean, shelf.words.states([draw.text for draw in draws]), streams, level, view)
