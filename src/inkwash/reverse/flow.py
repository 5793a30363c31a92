"""Samplers in the coordinates of rectified flow, where a straight line is a line of equal speed."""

from collections.abc import Iterator
from dataclasses import replace

from inkwash.denoiser import Denoiser
from inkwash.reverse.step import Sampler, Step
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Sigma, Sigmas


def in_flow(sampler: Sampler) -> Sampler:
    """`sampler` on x_flow = (1 - s) clean + s eps, with s = σ / (1 + σ) for its levels.

    First-order samplers do not notice. A mean of slopes is another mean there (Heun), and -ln s another clock than
    -ln σ, half the log of the signal-to-noise ratio: `in_flow(dpmpp_2m)` is SD3's own, `dpmpp_2m` the exact one.
    `sampler` must stop at the levels given. Samplers that add noise do it for clean + σ eps and do not belong here.
    """

    def walk(denoise: Denoiser, x: Latents, sigmas: Sigmas, noise: NoiseSource) -> Iterator[Step]:
        def ask(x: Latents, s: Sigma) -> Latents:
            return denoise(x / (1 - s), s / (1 - s))

        parts = sigmas / (1 + sigmas)
        for step in sampler(ask, x * (1 - parts[0]), parts, noise):
            now, lower = sigmas[step.index].item(), sigmas[step.index + 1].item()
            there = step.x * (1 + lower)
            yield replace(step, sigma=now, sigma_next=lower, x=there, drift=there - x)
            x = there

    return walk
