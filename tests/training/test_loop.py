"""The loop: what a step does, and what it refuses to do."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from inkwash.training.config import OptimizerConfig, TrainConfig
from inkwash.training.loop import PATIENCE, Diverged, gradient, train
from inkwash.training.objective import Lesson
from inkwash.training.state import TrainState


class Line(nn.Module):
    """y = a x."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.zeros(1))


def fit(model: nn.Module, x: Tensor) -> Lesson:
    """Wants a = 3."""
    return Lesson((model.get_parameter("a") * x - 3 * x).square().sum(dim=1), torch.ones(len(x)))


def forever(x: Tensor) -> Iterator[Sequence[Tensor]]:
    while True:
        yield [x]


def plain(config: TrainConfig, rate: float = 0.3) -> TrainConfig:
    return replace(config, optimizer=OptimizerConfig(rate=rate, warm_up=0, weight_decay=0.0, clip=1e9), images=8 * 60)


def test_it_learns(config: TrainConfig) -> None:
    state = TrainState.fresh(plain(config), Line())
    x = torch.linspace(-1, 1, 8)[:, None]
    last = None
    for progress in train(state, forever(x), fit):
        last = progress
        if progress.images_seen >= 8 * 60:
            break
    assert last is not None
    assert last.loss < 1e-2
    assert state.model.get_parameter("a").item() == pytest.approx(3, abs=0.1)
    assert state.averages[0].weights["a"].item() == pytest.approx(3, abs=0.3)


def test_parts_of_a_batch_add_up_to_the_whole(config: TrainConfig) -> None:
    x = torch.arange(8.0)[:, None]
    whole, parts = (TrainState.fresh(plain(config), Line()) for _ in range(2))
    one = gradient(whole, [x], fit)
    two = gradient(parts, [x[:2], x[2:]], fit)
    assert torch.equal(one.loss, two.loss)
    torch.testing.assert_close(whole.model.get_parameter("a").grad, parts.model.get_parameter("a").grad)


def test_a_broken_gradient_changes_no_weights_and_many_end_the_run(config: TrainConfig) -> None:
    state = TrainState.fresh(plain(config), Line())
    steps = train(state, forever(torch.full((8, 1), torch.nan)), fit)
    next(steps)
    assert state.model.get_parameter("a").item() == 0
    assert state.images_seen == 8
    for _ in range(PATIENCE - 2):
        next(steps)
    with pytest.raises(Diverged, match="lower the rate"):
        next(steps)


def test_a_long_gradient_is_cut(config: TrainConfig) -> None:
    state = TrainState.fresh(replace(config, optimizer=OptimizerConfig(warm_up=0, clip=0.5)), Line())
    progress = next(train(state, forever(torch.full((8, 1), 10.0)), fit))
    assert progress.norm == pytest.approx(600)  # d/da (10 a - 30)² at a = 0
    assert state.model.get_parameter("a").grad is not None
    assert state.model.get_parameter("a").grad.abs().item() == pytest.approx(0.5, rel=1e-3)
