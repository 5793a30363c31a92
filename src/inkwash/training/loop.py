"""The training loop: a generator over explicit state. Logging, saving and stopping belong to the caller."""

import math
from collections.abc import Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass
from functools import partial

import torch
from torch import nn

from inkwash.device import Compute
from inkwash.errors import InkwashError
from inkwash.nn.winograd import quick_convolutions
from inkwash.training.dice import seed_layers
from inkwash.training.muon import Muon
from inkwash.training.objective import Lesson, Objective
from inkwash.training.state import TrainState, rate_at
from inkwash.training.workers import ALONE, Team

PATIENCE = 20
"""Steps in a row whose gradient may be broken before the run stops."""


class Diverged(InkwashError):
    """The loss is not a number any more, step after step."""


@dataclass(frozen=True)
class Progress:
    """One step, as the log tells it."""

    images_seen: int
    lesson: Lesson
    norm: float
    """Of the gradient, before it was clipped."""
    rate: float

    @property
    def loss(self) -> float:
        """Mean over the batch."""
        return self.lesson.loss.double().mean().item()


def train(
    state: TrainState, batches: Iterable[Sequence[Sized]], objective: Objective, team: Team = ALONE
) -> Iterator[Progress]:
    """One step per item of `batches`, which holds this worker's share of a batch in one or more parts.

    Raises Diverged when the gradient is not finite many times in a row; such steps change no weights.
    """
    weights = [weight for weight in state.model.parameters() if weight.requires_grad]
    broken = 0
    for optimizer in state.optimizers:
        if isinstance(optimizer, Muon):
            optimizer.turn = partial(team.spread, optimizer.orthogonal)
    for parts in batches:
        rate = set_rate(state)
        lesson = gradient(state, parts, objective, team.rank)
        lesson = team.average(weights, lesson)
        norm = nn.utils.clip_grad_norm_(weights, state.config.optimizer.clip).item()
        state.images_seen += state.config.batch
        if math.isfinite(norm):
            broken = 0
            for optimizer in state.optimizers:
                optimizer.step()
            for average in state.averages:
                average.update(state.model, state.images_seen, state.config.batch)
        elif (broken := broken + 1) >= PATIENCE:
            raise Diverged(f"the gradient was not finite {PATIENCE} times in a row; lower the rate, or use float32")
        yield Progress(state.images_seen, lesson, norm, rate)


def set_rate(state: TrainState) -> float:
    """Tell every optimizer the rate of this moment, which follows from the clock alone."""
    rate = rate_at(state.images_seen, state.config.images, state.config.optimizer)
    for optimizer in state.optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate
    return rate


def gradient(state: TrainState, parts: Sequence[Sized], objective: Objective, rank: int = 0) -> Lesson:
    """Leave the gradient of the mean loss over `parts` in the weights; dropout follows from the clock and the rank."""
    state.model.train()
    for optimizer in state.optimizers:
        optimizer.zero_grad(set_to_none=True)
    compute = Compute(next(state.model.parameters()).device, state.precision)
    seed_layers(state.config.seed, (state.images_seen << 8) + rank)
    lessons, total = [], sum(len(part) for part in parts)
    for part in parts:
        with compute.autocast(), quick_convolutions(compute):
            lesson = objective(state.model, part)
        (lesson.loss.sum() / total).backward()
        lessons.append(Lesson(lesson.loss.detach(), lesson.sigma))
    return Lesson(*(torch.cat(column) for column in zip(*lessons, strict=True)))
