"""Two models on one way: the first hands its latents over to a refiner.  (Podell et al. 2023, 2.5)"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from inkwash.denoiser import Denoiser
from inkwash.errors import InvalidRequest, WeightsError
from inkwash.forward.schedule import STEPS, Schedule
from inkwash.pipeline.aids import ALONE, Aids
from inkwash.pipeline.batch import Batch
from inkwash.pipeline.beside import Beside
from inkwash.pipeline.fitting import fit
from inkwash.pipeline.start import Start
from inkwash.request.generate import GenerateRequest
from inkwash.reverse.entry import handed_over
from inkwash.reverse.scheduler_config import Walk
from inkwash.reverse.step import Step
from inkwash.types import Sigmas
from inkwash.weights.bundle import Bundle
from inkwash.weights.choice import ModelChoice
from inkwash.weights.models import open_model


@runtime_checkable
class Model(Protocol):
    """An engine, as far as a relay knows it."""

    @property
    def bundle(self) -> Bundle: ...  # noqa: D102
    @property
    def companions(self) -> dict[ModelChoice, Any]: ...  # noqa: D102
    def other(self, bundle: Bundle) -> "Model": ...  # noqa: D102
    def denoiser(  # noqa: D102
        self,
        batch: Batch,
        sigmas: Sigmas,
        beside: Beside | None = None,
        schedule: Schedule | None = None,
        aids: Aids = ALONE,
    ) -> Denoiser: ...


def refined(asked: GenerateRequest, engine: Model) -> GenerateRequest:
    """A resolved request that says which file its refiner is.

    Raises InvalidRequest for a refiner of other latents, WeightsError if it is not the one it was.
    """
    if not asked.refiner.model:
        return asked
    second = companion(asked, engine).bundle
    now, was = next(iter(second.files.values()), ""), asked.refiner.sha256
    if not now.startswith(was):  # other programs tell only how it begins
        raise WeightsError(f"it was refined by another {second.name}: its sha256 began with {was[:10]}")
    fit(asked, second)
    return replace(asked, refiner=replace(asked.refiner, sha256=now))


def companion(asked: GenerateRequest, engine: Model) -> Model:
    """The refiner at work beside the engine; opened once."""
    choice = asked.refiner.choice
    if choice not in engine.companions:
        second = open_model(choice)
        _alike(engine.bundle, second)
        engine.companions[choice] = engine.other(second)
    found: Model = engine.companions[choice]
    return found


def walked_by(engine: Model, batch: Batch, begin: Start, walk: Walk, aids: Aids = ALONE) -> Iterator[Step]:
    """Every step, by one model or by both; what is beside the latents, and what helps, is for the first alone."""
    x, done = begin.x, 0
    for model, told, sigmas in _legs(engine, batch, begin.sigmas, walk):
        own = (begin.beside, walk.schedule, aids) if model is engine else (None, walk.schedule)
        denoise = begin.bound(model.denoiser(told, begin.sigmas, *own))
        model.bundle.rest()  # prompts are read, and pictures encoded
        for step in walk.sampler(denoise, x, sigmas, begin.noise):
            yield replace(step, index=step.index + done) if done else step
            x = step.x
        done += len(sigmas) - 1


def _legs(engine: Model, batch: Batch, sigmas: Sigmas, walk: Walk) -> list[tuple[Model, Batch, Tensor]]:
    """Who walks which levels, and what it is told: a refiner hears silence as its makers want it."""
    asked = batch.shared
    if not asked.refiner.model:
        return [(engine, batch, sigmas)]
    first, second = handed_over(walk.schedule, sigmas, asked.refiner.switch_at)
    other = companion(asked, engine)
    told = Batch(tuple(replace(each, silence=other.bundle.defaults.silence) for each in batch.requests))
    legs = [(engine, batch, first), (other, told, second)]
    return [leg for leg in legs if len(leg[2]) > 1]


def _alike(first: Bundle, second: Bundle) -> None:
    """Both must mean the same by latents and by noise levels."""
    spaces = [(each.autoencoder.spec.latent_channels, each.autoencoder.spec.factor) for each in (first, second)]
    t = torch.arange(1.0, STEPS, 111.0)
    same = spaces[0] == spaces[1] and torch.allclose(first.schedule.sigma(t), second.schedule.sigma(t), rtol=1e-3)
    if not same:
        raise InvalidRequest("refiner.model", second.name, f"one with the latents and noise levels of {first.name}")
