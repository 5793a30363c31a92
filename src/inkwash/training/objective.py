"""What a noise predictor is taught, in four steps: pick a picture, draw noise, add a known amount, tell the noise."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from inkwash.denoiser import Target, scalings
from inkwash.forward.noising import add_noise, per_image, snr
from inkwash.forward.schedule import STEPS, Schedule
from inkwash.training.config import Times, TrainConfig, Weighting
from inkwash.training.dice import Dice, normal
from inkwash.types import Latents, Sigma, TextStates

GAMMA = 5.0
"""Where min-SNR caps the weight of easy levels.  (Hang et al. 2023, 3.4)"""
EDGE = 1e-3
"""How near to the ends of the schedule lessons go, as a part of it."""


@dataclass(frozen=True)
class Batch:
    """Pictures with words, and for each its own stream of chance and its even draw in [0, 1) for the noise level."""

    clean: Latents
    text: TextStates
    dice: Sequence[Dice]
    level: Float[Tensor, " b"]
    view: Float[Tensor, "b seen side side"] | None = None
    """What an ImageNet network sees in the clean pictures, where that is taught too."""

    def __len__(self) -> int:
        return len(self.clean)


class Lesson(NamedTuple):
    """The loss of every picture, and the noise level it was asked at."""

    loss: Float[Tensor, " b"]
    sigma: Float[Tensor, " b"]


Objective = Callable[[nn.Module, Any], Lesson]
"""A network and a batch of the kind it learns from -> its loss."""


@dataclass(frozen=True)
class TellTheNoise:
    """The loss of a noise predictor, for every kind of answer it may give."""

    schedule: Schedule
    target: Target
    times: Times
    weighting: Weighting = "even"

    def __call__(self, network: nn.Module, batch: Batch) -> Lesson:
        """Mean squared error per picture.  (Ho et al. 2020, alg. 1)"""
        clean, text = batch.clean, batch.text  # pick a picture
        eps = normal(batch.dice, tuple(clean.shape[1:])).to(clean)  # draw noise
        sigma = self.schedule.sigma(steps(batch.level, self.times)).to(clean.device)
        x = add_noise(clean, sigma, eps)  # add a known amount
        told = network(scalings(self.target, sigma).into * x, self.schedule.t(sigma), text)  # tell the noise
        error = (told.float() - answer(self.target, clean, eps, sigma)).square().mean(dim=(1, 2, 3))
        return Lesson(weight(self.target, self.weighting, sigma) * error, sigma)


def objective_of(config: TrainConfig) -> TellTheNoise:
    """The objective that a config describes."""
    return TellTheNoise(config.noise_levels(), config.target, config.times, config.weighting)


def steps(level: Float[Tensor, " b"], times: Times) -> Float[Tensor, " b"]:
    """Even draws in [0, 1) -> steps t in 0…1000, by the inverse distribution of `times`."""
    share = times.uniform_share
    if share >= 1:
        return level.clamp(EDGE, 1 - EDGE) * STEPS
    rest = ((level - share) / (1 - share)).clamp(1e-6, 1 - 1e-6)
    belled = torch.sigmoid(times.mean + times.std * torch.special.ndtri(rest))
    flat = level / share if share else level
    return torch.where(level < share, flat, belled).clamp(EDGE, 1 - EDGE) * STEPS


def answer(target: Target, clean: Latents, eps: Latents, sigma: Sigma) -> Latents:
    """What the network should say: (clean - skip x) / out with x = clean + sigma eps, free of cancellation."""
    s = sigma.double()
    c = scalings(target, s)
    of_clean, of_eps = (1 - c.skip) / c.out, -c.skip * per_image(s) / c.out
    return of_clean.to(clean) * clean + of_eps.to(clean) * eps


def weight(target: Target, weighting: Weighting, sigma: Sigma) -> Float[Tensor, "#b"]:
    """1, or min(SNR, 5) as a loss of the clean picture, restated for the target.  (Hang et al. 2023, 3.4)"""
    if weighting == "even":
        return torch.ones_like(sigma)
    ratio = snr(sigma)
    capped = ratio.clamp(max=GAMMA)
    return {"epsilon": capped / ratio, "v": capped / (ratio + 1), "x0": capped}[target]
