"""What some networks are shown beside the latents: the picture to change, or what surrounds a hole."""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from inkwash.errors import InvalidRequest
from inkwash.latent.beside import Kind, hole_beside, kind_beside, picture_beside
from inkwash.latent.tiny_autoencoder import TinyAutoencoder
from inkwash.types import Pixels, TextStates
from inkwash.weights.bundle import Bundle

Beside = Float[Tensor, "1 extra h w"]


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
        if isinstance(bundle.autoencoder, TinyAutoencoder):
            wanted = f"left out: {bundle.name} sees latents of the large one"
            raise InvalidRequest("vae", "a tiny autoencoder", wanted)
        return picture_beside(bundle.autoencoder, pixels)
    if kind == "hole":
        seen = torch.zeros(1, 3, height, width) if pixels is None else pixels
        covered = torch.ones_like(seen[:, :1]) if hole is None else hole
        device = next(bundle.predictor.parameters()).device
        return hole_beside(bundle.autoencoder, seen.to(device), covered.to(device))
    return None


def shown(words: TextStates, beside: Beside | None) -> TextStates:
    """Words with what is beside the latents, the same for every picture."""
    return words if beside is None else replace(words, beside=beside.expand(len(words), -1, -1, -1))
