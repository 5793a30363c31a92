"""Who is measured: a way to paint with its own default settings, and the autoencoder inside."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from inkwash.evaluation.pictures import Pictures
from inkwash.evaluation.prompts import Painter
from inkwash.evaluation.reconstruction import Rebuilds
from inkwash.pipeline.engine import Engine
from inkwash.request.generate import GenerateRequest
from inkwash.weights.manifest import Defaults


@dataclass(frozen=True)
class Subject:
    """A painter under measurement; `settings` says in words how it paints."""

    name: str
    settings: str
    paint: Painter
    autoencoder: Rebuilds


def subject_of(engine: Engine) -> Subject:
    """A model at work, painting as it does for a user who asks for nothing but the prompt."""

    def paint(prompts: Sequence[str], seeds: Sequence[int]) -> Pictures:
        asked = [GenerateRequest(prompt=prompt, seed=seed) for prompt, seed in zip(prompts, seeds, strict=True)]
        finished = []
        for batch in engine.batches(asked):
            *_, last = engine.steps(batch)
            finished += engine.finish(batch, last.x)
        return torch.stack([torch.from_numpy(np.array(one.image)).permute(2, 0, 1) for one in finished])

    bundle = engine.bundle
    return Subject(bundle.name, settings(bundle.defaults), paint, bundle.autoencoder)


def settings(defaults: Defaults) -> str:
    """Defaults in a line."""
    told = f"{defaults.sampler}, {defaults.spacing}, {defaults.steps} steps, guidance {defaults.guidance:g}"
    if defaults.guidance_from > 0 or defaults.guidance_until < Defaults().guidance_until:
        told += f" for sigma from {defaults.guidance_from:g} to {defaults.guidance_until:g}"
    return f"{told}, {defaults.width}x{defaults.height}"
