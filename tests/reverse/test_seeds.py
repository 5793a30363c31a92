from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import Tensor

from inkwash.reverse.dpmpp_2s_ancestral import dpmpp_2s_ancestral
from inkwash.reverse.seeds import HEUN, THREE, TWO, Stages, seeds
from inkwash.rng import NoiseSource

LEVELS = torch.tensor([8.0, 3.0, 1.0, 0.3, 0.0])


@pytest.mark.parametrize(("stages", "calls"), [(TWO, 7), (THREE, 10), (HEUN, 7)])
def test_calls(stages: Stages, calls: int) -> None:
    asked: list[float] = []

    def denoise(x: Tensor, sigma: Tensor) -> Tensor:
        asked.append(sigma.item())
        return x.tanh()

    list(seeds(denoise, torch.ones(1, 1, 2, 2), LEVELS, NoiseSource.seeded([0]), stages=stages))
    assert len(asked) == calls


def test_two_stages_without_chance_are_dpmpp_2s() -> None:
    x = torch.linspace(-8, 8, 16).reshape(1, 1, 4, 4)
    ours, theirs = (
        list(sampler(lambda x, sigma: torch.tanh(x / (1 + sigma**2)), x, LEVELS, NoiseSource.seeded([0])))[-1].x
        for sampler in (partial(seeds, stages=replace(TWO, eta=0.0)), partial(dpmpp_2s_ancestral, eta=0.0))
    )
    torch.testing.assert_close(ours, theirs)
