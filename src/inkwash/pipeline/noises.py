"""The noise of a batch: that of the first latents, and what samplers draw from."""

from dataclasses import replace

import torch

from inkwash.pipeline.batch import Batch
from inkwash.rng import NoiseSource, between_columns, centred, sources
from inkwash.types import Latents


def noises(batch: Batch, shape: tuple[int, int, int], factor: int) -> tuple[Latents, NoiseSource]:
    """`first_noise`, and the source for the rest of the way."""
    first, then = sources_of(batch)
    return first_noise(first, batch, shape, factor), then


def sources_of(batch: Batch) -> tuple[NoiseSource, NoiseSource]:
    """Where the first latents of every picture come from, and the rest of the way."""
    options, strength = batch.shared.noise, batch.shared.way.s_noise
    first, then = sources(_seeds(batch), options.rng, options.delta, tree=options.tree)
    return first, then if strength == 1 else replace(then, strength=strength)


def first_noise(first: NoiseSource, batch: Batch, shape: tuple[int, int, int], factor: int) -> Latents:
    """Unit noise of `shape` for every picture, on the CPU.

    `factor` is how many pixels a latent is wide: requests tell sizes in pixels.
    """
    options, small = batch.shared.noise, shape
    if options.resize_from is not None:
        width, height = options.resize_from
        small = (shape[0], height // factor, width // factor)
    if small == shape:
        return _varied(first.draw(shape), batch)
    inside, _ = sources(_seeds(batch), options.rng)
    return centred(_varied(inside.draw(small), batch), first.draw(shape))


def between(low: Latents, high: Latents, part: float) -> Latents:
    """Along the great circle from `low` (part 0) to `high` (1), picture by picture: noise stays noise.

    Straight lines would pass through latents of too little variance.  (Shoemake 1985, slerp)
    """
    flat_low, flat_high = low.flatten(1), high.flatten(1)
    cosine = torch.nn.functional.cosine_similarity(flat_low, flat_high, dim=1).clamp(-1, 1)
    angle = cosine.acos().clamp(min=1e-4)[:, None]
    mixed = (((1 - part) * angle).sin() * flat_low + (part * angle).sin() * flat_high) / angle.sin()
    return mixed.reshape(low.shape)


def _seeds(batch: Batch) -> list[int]:
    return [request.seed or 0 for request in batch.requests]


def _varied(eps: Latents, batch: Batch) -> Latents:
    """Mixed with the noise of the subseeds."""
    part, options = batch.shared.subseed_strength, batch.shared.noise
    if not part:
        return eps
    other, _ = sources([request.subseed or 0 for request in batch.requests], options.rng)
    mix = between_columns if options.columns else between
    return mix(eps, other.draw(tuple(eps.shape[1:])), part)
