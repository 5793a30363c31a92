"""What some networks are shown beside the latents: the picture to change, or what surrounds a hole."""

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from inkwash.errors import InvalidRequest
from inkwash.latent.beside import Kind, depth_beside, hole_beside, kind_beside, picture_beside, small_beside
from inkwash.latent.tiny_autoencoder import TinyAutoencoder
from inkwash.pictures.photo import fitted, opened, read_photo, rgb
from inkwash.pictures.picture import greys, pixels_of
from inkwash.pictures.surface import Surface
from inkwash.pipeline.space import space_of
from inkwash.predictor.unet import UNet
from inkwash.request.generate import GenerateRequest
from inkwash.request.hints import NOISE_LEVEL
from inkwash.rng import NoiseSource
from inkwash.types import TextStates
from inkwash.weights.bundle import Bundle

Beside = Float[Tensor, "1 extra h w"]


def wanted_beside(bundle: Bundle) -> Kind:
    """What the network is shown beside the latents.  Raises InvalidRequest for what inkwash cannot show."""
    channels, latents = bundle.predictor.spec.channels_in, bundle.autoencoder.spec.latent_channels
    kind = kind_beside(channels, latents)
    if kind is None or (kind == "small") != bool(isinstance(bundle.predictor, UNet) and bundle.predictor.spec.labels):
        wanted = f"one that sees {latents} latents alone or with a picture or a hole beside them, and not {channels}"
        raise InvalidRequest("model", bundle.name, wanted)
    return kind


def beside_of(bundle: Bundle, asked: GenerateRequest, paper: Surface | None, noise: NoiseSource) -> Beside | None:
    """What it is shown; without a mask all is to be painted, and nothing is seen.

    `noise` is drawn from only for a small picture.  Raises InvalidRequest if there is no picture where one is wanted.
    """
    kind, space = wanted_beside(bundle), space_of(bundle, asked)
    device, (width, height) = next(bundle.predictor.parameters()).device, (asked.width or 0, asked.height or 0)
    columns, rows = width // space.factor, height // space.factor
    if kind == "nothing":
        return None
    if kind == "depth":
        return depth_beside(read_depth(asked, bundle).to(device), (rows, columns))
    if kind == "hole":
        pixels = torch.zeros(1, 3, height, width) if paper is None else pixels_of([paper.photo])
        hole = torch.ones_like(pixels[:, :1]) if paper is None or paper.mask is None else greys(paper.mask)
        return hole_beside(space.encode, pixels.to(device), hole.to(device))
    if paper is None or asked.image is None:
        raise InvalidRequest("image", None, f"given: {bundle.name} changes pictures")
    if kind == "small":
        small = pixels_of([fitted(read_photo(asked.image), (columns, rows))])
        level = bundle.schedule.sigma(torch.tensor(float(asked.hints.noise_level or 0)))
        return small_beside(small, noise.draw(tuple(small.shape[1:])), level).to(device)
    if isinstance(bundle.autoencoder, TinyAutoencoder):
        wanted = f"left out: {bundle.name} sees latents of the large one"
        raise InvalidRequest("vae", "a tiny autoencoder", wanted)
    return picture_beside(bundle.autoencoder, space.encode(pixels_of([paper.photo]).to(device)))


def read_depth(asked: GenerateRequest, bundle: Bundle) -> Float[Tensor, "1 1 height width"]:
    """The map of depth, as large as what is painted, in its own unit.

    Raises InvalidRequest if there is none, or if it cannot be read.
    """
    if asked.hints.depth is None:
        wanted = f"given: {bundle.name} paints by depth, and the network that estimates it is not part of inkwash"
        raise InvalidRequest("hints.depth", None, wanted)
    picture = opened(asked.hints.depth, "hints.depth")
    deep = picture if picture.mode.startswith(("I", "F")) else rgb(picture).convert("L")
    numbers = Image.fromarray(np.asarray(deep, dtype=np.float32))
    return torch.from_numpy(np.array(fitted(numbers, (asked.width or 0, asked.height or 0))))[None, None]


def told_beside(request: GenerateRequest, bundle: Bundle) -> GenerateRequest:
    """A request with what such a network takes where nothing is said.

    Raises InvalidRequest for hints that it does not take, and for pictures that cannot be meant.
    """
    kind, hints = wanted_beside(bundle), request.hints
    if hints.depth is not None and kind != "depth":
        raise InvalidRequest("hints.depth", str(hints.depth), f"left out: {bundle.name} does not paint by depth")
    if kind != "small":
        if hints.noise_level is not None:
            wanted = f"left out: {bundle.name} enlarges no pictures"
            raise InvalidRequest("hints.noise_level", hints.noise_level, wanted)
        return request
    if request.image is None:
        raise InvalidRequest("image", None, f"given: {bundle.name} enlarges pictures")
    for name in ("mask", "strength"):
        if getattr(request, name) not in (None, 1.0):
            wanted = f"left out: {bundle.name} enlarges the whole picture"
            raise InvalidRequest(name, str(getattr(request, name)), wanted)
    level = NOISE_LEVEL if hints.noise_level is None else hints.noise_level
    if isinstance(bundle.predictor, UNet) and level >= bundle.predictor.spec.labels:
        raise InvalidRequest("hints.noise_level", level, f"below {bundle.predictor.spec.labels}")
    factor = bundle.autoencoder.spec.factor
    small = (0, 0) if request.width and request.height else read_photo(request.image).size
    return replace(
        request,
        width=request.width or small[0] * factor,
        height=request.height or small[1] * factor,
        hints=replace(hints, noise_level=level),
    )


def shown(words: TextStates, beside: Beside | None) -> TextStates:
    """Words with what is beside the latents, the same for every picture."""
    return words if beside is None else replace(words, beside=beside.expand(len(words), -1, -1, -1))
