"""The loss on held-out pictures, by noise level."""

import pytest
import torch
from torch import Tensor, nn

from inkwash.device import compute
from inkwash.training.cache import Shelf
from inkwash.training.config import TrainConfig
from inkwash.training.validate import BINS, validate
from inkwash.types import TextStates


class Zero(nn.Module):
    """Always says 0, and remembers when it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[Tensor] = []

    def forward(self, x: Tensor, t: Tensor, text: TextStates) -> Tensor:
        self.steps.append(t)
        return torch.zeros_like(x)


def test_saying_zero_costs_the_power_of_noise_and_picture(shelf: Shelf, config: TrainConfig) -> None:
    held = tuple(range(24))
    losses = validate(Zero(), shelf, held, config, compute("cpu"))
    power = 1 + shelf.mean[:, 0].float().square().mean().item()
    assert len(losses) == BINS
    assert sum(losses) / BINS == pytest.approx(power, rel=0.02)


def test_every_part_of_the_schedule_is_asked_and_always_the_same(shelf: Shelf, config: TrainConfig) -> None:
    first, again = Zero(), Zero()
    assert validate(first, shelf, (0, 6, 12), config, compute("cpu")) == validate(
        again, shelf, (0, 6, 12), config, compute("cpu")
    )
    for number, t in enumerate(first.steps):
        assert t.min() >= 100 * number
        assert t.max() <= 100 * (number + 1)
    assert all(torch.equal(one, other) for one, other in zip(first.steps, again.steps, strict=True))
