"""Restart: run down, jump back up by noise, and run the middle once more."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch

from inkwash.denoiser import Denoiser
from inkwash.reverse.heun import arrived
from inkwash.reverse.spacing import karras_between
from inkwash.reverse.step import Step, fresh, moved
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Sigmas


@dataclass(frozen=True)
class Again:
    """Which levels are run again.  (Xu et al. 2023, sec. 3.2: t_min and t_max)"""

    low: float = 0.1
    high: float = 2.0


def restart(
    denoise: Denoiser,
    x: Latents,
    sigmas: Sigmas,
    noise: NoiseSource,
    *,
    again: Again = Again(),
) -> Iterator[Step]:
    """Heun's steps, some of them spent between `again.low` and `again.high` after a jump back.  (Xu et al. 2023)

    The number of steps stays: from 20 on nine go once more through the middle, from 36 on a quarter twice, and the
    first way down follows Karras' spacing with what is left. Below 20 nothing is repeated.
    """
    at = sigmas[0].item()
    for index, (sigma, lower) in enumerate(legs(sigmas, again)):
        random = fresh(noise, x, (sigma.item() ** 2 - at**2) ** 0.5) if sigma > at * (1 + 1e-6) else None
        start = x if random is None else x + random
        denoised, target = arrived(denoise, start, (sigma, lower))
        step = moved(
            index, (sigmas.new_tensor(at), lower), x, denoised, target if random is None else target - random, random
        )
        yield step
        x, at = step.x, lower.item()


def legs(sigmas: Sigmas, again: Again) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Every step as (from, to); one that begins above the end of the last is a jump."""
    steps = len(sigmas) - 1
    if steps < 20:
        return list(pairwise(sigmas))
    length, times = (9, 1) if steps < 36 else (steps // 4, 2)
    down = karras_between(sigmas[0].item(), sigmas[-2].item(), steps - length * times).to(sigmas)
    place, top = (int((down - level).abs().argmin()) for level in (again.low, again.high))
    if top >= place:
        return list(pairwise(sigmas))
    middle = karras_between(down[top].item(), down[place].item(), length + 1)[:-1].to(sigmas)
    return [*pairwise(down[: place + 1]), *list(pairwise(middle)) * times, *pairwise(down[place:])]
