"""Guesses kept in the range of pixels, as schedulers that began with pixels may ask for; latents have no such range."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from inkwash.denoiser import Changed, Denoiser
from inkwash.guidance import squeezed
from inkwash.reverse.step import Sampler, Step
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Sigmas

Limit = Callable[[Latents], Latents]
"""A guess of the clean ones, within its range."""
CLIPPING = ("DDIMScheduler", "DDPMScheduler", "LCMScheduler", "HeunDiscreteScheduler")
"""Classes that heed `clip_sample`; for the first two it is on unless told."""
THRESHOLDING = (
    *CLIPPING[:3],
    "DPMSolverMultistepScheduler",
    "DPMSolverSinglestepScheduler",
    "EDMDPMSolverMultistepScheduler",
    "UniPCMultistepScheduler",
    "DEISMultistepScheduler",
    "SASolverScheduler",
)


def limit_of(name: str, config: Mapping[str, Any]) -> Limit | None:
    """What a scheduler class does to its guesses; None for nothing."""
    if name in THRESHOLDING and config.get("thresholding"):
        percentile, largest = config.get("dynamic_thresholding_ratio", 0.995), config.get("sample_max_value", 1.0)
        return partial(squeezed, percentile=percentile, largest=largest)
    if name in CLIPPING and config.get("clip_sample", name in CLIPPING[:2]):
        reach = config.get("clip_sample_range", 1.0)
        return lambda guess: guess.clamp(-reach, reach)
    return None


def limited(sampler: Sampler, limit: Limit) -> Sampler:
    """`sampler`, which never sees a guess outside the range."""

    def walk(denoise: Denoiser, x: Latents, sigmas: Sigmas, noise: NoiseSource) -> Iterator[Step]:
        return sampler(Changed(denoise, lambda guess, _x, _sigma: limit(guess)), x, sigmas, noise)

    return walk
