"""Our trainer itself, held by the hand: it steps only while it has its turn."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch

from benchmarks.lessons import Turn, drawn
from benchmarks.settings import Settings
from inkwash.device import DTYPES
from inkwash.predictor.unet import UNet
from inkwash.training.config import TrainConfig
from inkwash.training.dice import dice
from inkwash.training.loop import Progress, train
from inkwash.training.objective import Batch, objective_of
from inkwash.training.state import TrainState
from inkwash.training.workers import Team, team_of

ENDLESS = 10**9


@contextmanager
def leading(settings: Settings, processes: int, dtype: str) -> Iterator[Turn]:
    """A turn of our trainer with so many processes, which wait between turns; products in `dtype`."""
    weights = sum(parameter.numel() for parameter in UNet(settings.spec).parameters())
    numbers = weights + 2 * settings.batch // processes
    with team_of(processes, numbers, partial(work, settings, dtype)) as team:
        steps = stepping(settings, dtype, team)

        def learn() -> None:
            for _ in range(settings.lessons):
                next(steps)

        yield learn


def work(settings: Settings, dtype: str, team: Team) -> None:
    """What a helper does until its leader leaves."""
    for _ in stepping(settings, dtype, team):
        pass


def stepping(settings: Settings, dtype: str, team: Team) -> Iterator[Progress]:
    """Training steps without end on one batch."""
    torch.manual_seed(0)
    config = TrainConfig(
        name="bench", predictor=settings.spec, images=ENDLESS, batch=settings.batch, size=8 * settings.side
    )
    state = TrainState.fresh(config, UNet(settings.spec), DTYPES[dtype])
    share = settings.batch // team.count
    clean, _, text, _ = drawn(settings)
    mine = slice(team.rank * share, (team.rank + 1) * share)
    streams = [dice(0, place) for place in range(settings.batch)][mine]
    levels = torch.linspace(0.01, 0.99, settings.batch)
    batch = Batch(clean[mine].contiguous(memory_format=torch.channels_last), text[mine], streams, levels[mine])
    return train(state, gated(team, batch), objective_of(config), team)


def gated(team: Team, batch: Batch) -> Iterator[list[Batch]]:
    """The batch again and again, but only when everybody is there: helpers must not work ahead of their leader."""
    while True:
        team.meet()
        yield [batch]
