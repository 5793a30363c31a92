"""What a network is told besides the noise: words, and what some of them want to know of the wanted picture."""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from inkwash.errors import InvalidRequest
from inkwash.latent.beside import Kind, hole_beside, kind_beside, picture_beside
from inkwash.nn.embedding import guidance_features
from inkwash.pipeline.batch import Batch
from inkwash.predictor.canvas import PLAIN, PLEASING, Canvas
from inkwash.types import Pixels, TextStates
from inkwash.weights.bundle import Bundle

Beside = Float[Tensor, "1 extra h w"]


def told(batch: Batch, bundle: Bundle, beside: Beside | None = None) -> tuple[TextStates, TextStates]:
    """The wanted and the unwanted words of every picture, with all else that the network asks for."""
    wanted, unwanted = bundle.text(batch.prompts), bundle.text(batch.unwanted)
    return _told(wanted, batch, bundle, beside), _told(unwanted, batch, bundle, beside, PLAIN)


def wanted_beside(bundle: Bundle) -> Kind:
    """What the network is shown beside the latents.  Raises InvalidRequest for what inkwash cannot show."""
    channels, latents = bundle.predictor.spec.channels_in, bundle.autoencoder.spec.latent_channels
    kind = kind_beside(channels, latents)
    if kind is None or kind == "depth":
        wanted = f"one that sees {latents} latents alone or with a picture or a hole beside them, and not {channels}"
        raise InvalidRequest("model", bundle.name, wanted)
    return kind


def beside_of(
    bundle: Bundle, size: tuple[int, int], pixels: Pixels | None, hole: Float[Tensor, "1 1 height width"] | None
) -> Beside | None:
    """What it is shown; `size` is width and height. Without a mask all is to be painted, and nothing is seen.

    Raises InvalidRequest if the model changes pictures and there is none.
    """
    kind, (width, height) = wanted_beside(bundle), size
    if kind == "picture":
        if pixels is None:
            raise InvalidRequest("image", None, f"given: {bundle.name} changes pictures")
        return picture_beside(bundle.autoencoder, pixels)
    if kind == "hole":
        seen = torch.zeros(1, 3, height, width) if pixels is None else pixels
        covered = torch.ones_like(seen[:, :1]) if hole is None else hole
        device = next(bundle.predictor.parameters()).device
        return hole_beside(bundle.autoencoder, seen.to(device), covered.to(device))
    return None


def _told(
    words: TextStates, batch: Batch, bundle: Bundle, beside: Beside | None, aesthetic: float = PLEASING
) -> TextStates:
    asked, spec, count = batch.shared, bundle.predictor.spec, len(batch)
    numbers, features = getattr(spec, "size_numbers", 0), getattr(spec, "guidance_width", 0)  # of U-Nets alone
    if numbers and words.size is None:
        canvas = Canvas((asked.height or 0, asked.width or 0), aesthetic=aesthetic)
        words = replace(words, size=canvas.numbers(numbers, count).to(words.states))
    if features:
        scale = torch.full((count,), 1.0 if asked.guidance is None else asked.guidance)
        words = replace(words, guidance=guidance_features(scale, features).to(words.states))
    return words if beside is None else replace(words, beside=beside.expand(count, -1, -1, -1))
