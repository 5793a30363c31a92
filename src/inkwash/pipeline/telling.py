"""What a predictor is told besides words: sizes, how beautiful, how strongly guided."""

from dataclasses import replace

import torch

from inkwash.nn.embedding import guidance_features
from inkwash.pipeline.batch import Batch
from inkwash.predictor.unet import UNet
from inkwash.text.towers import UNAESTHETIC, refiner_sizes, silence, sized, sizes
from inkwash.types import TextStates
from inkwash.weights.bundle import Bundle

SDXL_NUMBERS, REFINER_NUMBERS = 6, 5


def informed(text: TextStates, batch: Batch, bundle: Bundle) -> TextStates:
    """The wanted words of a batch, with all that this predictor wants to know of the pictures."""
    predictor, asked = bundle.predictor, batch.shared
    if not isinstance(predictor, UNet):
        return text
    size = asked.height or 0, asked.width or 0
    if predictor.spec.size_numbers == SDXL_NUMBERS:
        text = sized(text, sizes(size))
    elif predictor.spec.size_numbers == REFINER_NUMBERS:
        text = sized(text, refiner_sizes(size))
    if predictor.spec.guidance_width:
        scale = torch.full((len(text),), asked.guidance or 1.0, device=text.states.device)
        text = replace(text, guidance=guidance_features(scale, predictor.spec.guidance_width))
    return text


def informed_away(text: TextStates, batch: Batch, bundle: Bundle) -> TextStates:
    """The same for the unwanted words; zeros for pictures without any, where the request or the model wants it so."""
    predictor, asked = bundle.predictor, batch.shared
    if asked.silence:
        spoken = torch.tensor([bool(words) for words in batch.unwanted], device=text.states.device)
        still = silence(text)
        pooled = None
        if text.pooled is not None and still.pooled is not None:
            pooled = torch.where(spoken[:, None], text.pooled, still.pooled)
        text = replace(text, states=torch.where(spoken[:, None, None], text.states, still.states), pooled=pooled)
    text = informed(text, batch, bundle)
    if isinstance(predictor, UNet) and predictor.spec.size_numbers == REFINER_NUMBERS:
        text = sized(text, refiner_sizes((asked.height or 0, asked.width or 0), aesthetic=UNAESTHETIC))
    return text


def scale_of(batch: Batch, bundle: Bundle) -> float:
    """How strongly two guesses are pulled apart: not at all in a network that is told the strength itself."""
    if isinstance(bundle.predictor, UNet) and bundle.predictor.spec.guidance_width:
        return 1.0
    return 1.0 if batch.shared.guidance is None else batch.shared.guidance
