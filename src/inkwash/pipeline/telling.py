"""What a predictor is told besides words: sizes, how beautiful, how strongly guided."""

from dataclasses import replace

import torch

from inkwash.nn.embedding import guidance_features
from inkwash.pipeline.batch import Batch
from inkwash.predictor.canvas import PLAIN, PLEASING, Canvas
from inkwash.predictor.unet import UNet
from inkwash.request.generate import GenerateRequest
from inkwash.text.towers import silence
from inkwash.types import TextStates
from inkwash.weights.bundle import Bundle


def informed(text: TextStates, batch: Batch, bundle: Bundle, aesthetic: float = PLEASING) -> TextStates:
    """The wanted words of a batch, with all that this predictor wants to know of the pictures."""
    predictor, asked = bundle.predictor, batch.shared
    if not isinstance(predictor, UNet):
        return text
    if count := predictor.spec.size_numbers:
        canvas = canvas_of(asked, aesthetic)
        text = replace(text, size=canvas.numbers(count, len(text)).to(text.states))
    if predictor.spec.labels:
        text = replace(text, label=torch.full((len(text),), asked.hints.noise_level or 0, device=text.states.device))
    if predictor.spec.guidance_width:
        scale = torch.full((len(text),), asked.guidance or 1.0, device=text.states.device)
        text = replace(text, guidance=guidance_features(scale, predictor.spec.guidance_width))
    return text


def canvas_of(asked: GenerateRequest, aesthetic: float) -> Canvas:
    """The wanted picture as one of the training set; sizes of a request are width and height, the network's turned."""
    micro, painted = asked.micro, (asked.width or 0, asked.height or 0)
    said = micro.aesthetic_away if aesthetic == PLAIN else micro.aesthetic
    target, original, corner = (
        pair[::-1] for pair in (micro.target or painted, micro.original or painted, micro.corner)
    )
    return Canvas(target, original, corner, aesthetic if said is None else said)


def informed_away(text: TextStates, batch: Batch, bundle: Bundle) -> TextStates:
    """The same for the unwanted words; zeros for pictures without any, where the request or the model wants it so."""
    if batch.shared.silence:
        spoken = torch.tensor([bool(words) for words in batch.unwanted], device=text.states.device)
        still = silence(text)
        pooled = None
        if text.pooled is not None and still.pooled is not None:
            pooled = torch.where(spoken[:, None], text.pooled, still.pooled)
        text = replace(text, states=torch.where(spoken[:, None, None], text.states, still.states), pooled=pooled)
    return informed(text, batch, bundle, PLAIN)


def scale_of(batch: Batch, bundle: Bundle) -> float:
    """How strongly two guesses are pulled apart: not at all in a network that is told the strength itself."""
    if isinstance(bundle.predictor, UNet) and bundle.predictor.spec.guidance_width:
        return 1.0
    return 1.0 if batch.shared.guidance is None else batch.shared.guidance
