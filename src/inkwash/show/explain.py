"""One painting taken apart: what the network is given at a step, what it answers, the move made, and where it looked.

The steps are those that paint the picture; only the looks are computed beside them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from inkwash.denoiser import scalings
from inkwash.errors import InvalidRequest
from inkwash.pipeline.engine import Engine
from inkwash.pipeline.painting import Painting
from inkwash.pipeline.start import walked
from inkwash.pipeline.wording import words_of
from inkwash.predictor.attention_maps import AttentionMaps, attention_maps
from inkwash.predictor.unet import UNet
from inkwash.request.generate import GenerateRequest
from inkwash.reverse.step import Step
from inkwash.types import Latents


@dataclass(frozen=True)
class Move:
    """A change of the latents: how it looks, and how far it goes."""

    picture: Image.Image | None
    """Scaled to unit variance and decoded; None for no move."""
    length: float
    """The Euclidean norm over all latents."""


@dataclass(frozen=True)
class Word:
    """A word of the prompt, and which places looked at it."""

    word: str
    looks: Float[Tensor, "h w"]
    """The share of its looks that each pixel gave the word; with begin, end and all other words they sum to 1."""


@dataclass(frozen=True)
class Moment:
    """One step of a painting, in pictures."""

    number: int
    """From 1."""
    t: float
    sigma: float
    noisy: Image.Image
    """The latents before the step, as the network is given them, decoded."""
    noise: Move
    """What the network says is noise: x - predicted clean, which is sigma times the predicted noise."""
    clean: Image.Image
    """The predicted clean latents, decoded."""
    drift: Move
    random: Move
    words: tuple[Word, ...]

    @property
    def decibels(self) -> float:
        """Signal-to-noise ratio before the step, for clean latents of unit variance."""
        return -20 * log10(self.sigma)


@dataclass(frozen=True)
class Explanation:
    """Chosen moments of a painting, and the painting."""

    moments: Sequence[Moment]
    steps: int
    """How many there were."""
    painting: Painting


@torch.inference_mode()
def explain(engine: Engine, request: GenerateRequest, rows: int) -> Explanation:
    """Paint one picture and take `rows` of its steps apart, spread evenly from the first to the last.

    Raises InvalidRequest if the request is for several pictures, and all that `Engine.paint` raises.
    """
    if request.count != 1:
        raise InvalidRequest("count", request.count, "1: a sheet explains one picture")
    if request.templates.matrix:
        raise InvalidRequest("matrix", True, "left out: a sheet explains one picture")
    if request.hires.acts:
        raise InvalidRequest("hires", "a second pass", "left out: a sheet explains one")
    if not isinstance(engine.bundle.predictor, UNet):
        raise InvalidRequest("model", request.model, "one with a U-Net: others look at words in no single place")
    (batch,) = engine.batches([request])
    steps = walked(batch.shared)
    wanted, moments = spread(steps, rows), []
    with attention_maps(engine.bundle.predictor) as looks:
        for step in engine.steps(batch):
            if step.index in wanted:
                moments.append(_moment(engine, batch.shared, step, looks))
            looks.clear()
    (painting,) = engine.finish(batch, step.x)
    return Explanation(moments, steps, painting)


def spread(steps: int, rows: int) -> list[int]:
    """At most `rows` different numbers from 0 to `steps` - 1, both ends included."""
    if rows < 2 or steps < 2:
        return [steps - 1]
    return sorted({round(row * (steps - 1) / (rows - 1)) for row in range(rows)})


def _moment(engine: Engine, asked: GenerateRequest, step: Step, looks: AttentionMaps) -> Moment:
    bundle, sigma = engine.bundle, torch.tensor(step.sigma)
    before = step.x - step.drift - step.random
    noisy, clean = engine.look(torch.cat([scalings(bundle.target, sigma).into.to(before) * before, step.denoised]))
    noise, drift, random = (_move(engine, change) for change in (before - step.denoised, step.drift, step.random))
    places = words_of(asked, bundle.text.tokenizer)
    words = looks.of_words(places, (noisy.height, noisy.width)) if places else []
    return Moment(
        number=step.index + 1,
        t=bundle.schedule.t(sigma).item(),
        sigma=step.sigma,
        noisy=noisy,
        noise=noise,
        clean=clean,
        drift=drift,
        random=random,
        words=tuple(Word(word, shares[0].cpu()) for word, shares in words),
    )


def _move(engine: Engine, change: Latents) -> Move:
    length, size = change.norm().item(), change.square().mean().sqrt()
    return Move(None, 0.0) if length == 0 else Move(engine.look(change / size)[0], length)
