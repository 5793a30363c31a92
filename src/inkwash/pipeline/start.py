"""Where reverse diffusion begins: in noise, in a picture, in a picture with a hole."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from torch.nn.functional import max_pool2d

from inkwash.denoiser import Denoiser, kept_outside
from inkwash.errors import InvalidRequest
from inkwash.forward.noising import add_noise
from inkwash.pipeline.batch import Batch
from inkwash.pipeline.beside import Beside, beside_of
from inkwash.pipeline.noises import noises
from inkwash.pipeline.photo import fitted, read_mask, read_photo
from inkwash.pipeline.picture import pixels_of
from inkwash.pipeline.request import GenerateRequest
from inkwash.pipeline.walking import walk_of
from inkwash.reverse.entry import STARTS
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Mask, Sigmas
from inkwash.weights.bundle import Bundle


@dataclass(frozen=True)
class Start:
    """What a sampler needs besides a denoiser, and what is known of the picture already."""

    x: Latents
    sigmas: Sigmas
    noise: NoiseSource
    known: Latents | None = None
    mask: Mask | None = None
    beside: Beside | None = None
    """What the network is shown beside the latents."""

    def bound(self, denoise: Denoiser) -> Denoiser:
        """`denoise`, told what is known outside the mask."""
        if self.mask is None or self.known is None:
            return denoise
        return kept_outside(self.mask, self.known, denoise)


def start(batch: Batch, bundle: Bundle, device: torch.device) -> Start:
    """The first latents of every picture of a resolved batch, and the levels still to go.

    Raises InvalidRequest for an input picture that cannot be used.
    """
    asked, factor = batch.shared, bundle.autoencoder.spec.factor
    width, height = size_of(asked)
    walk = walk_of(asked, bundle)
    sigmas = walk.sigmas.to(device)
    shape = (bundle.autoencoder.spec.latent_channels, height // factor, width // factor)
    eps, noise = noises(batch, shape, factor)
    eps = eps.to(device)
    if asked.image is None:
        return Start(walk.start * eps, sigmas, noise, beside=beside_of(bundle, (width, height), None, None))
    photo, hole = inputs(asked)
    pixels = pixels_of([photo]).to(device)
    beside = beside_of(bundle, (width, height), pixels, None if hole is None else greys(hole))
    if beside is not None and asked.strength == 1:
        return Start(walk.start * eps, sigmas, noise, beside=beside)  # all it has to know of the picture is beside
    known = bundle.autoencoder.encode(pixels).expand(len(batch), -1, -1, -1)
    sigmas = sigmas[skipped(len(sigmas) - 1, asked.strength or 1.0, asked.way.plan) :]
    x = add_noise(known, sigmas[0], eps)
    if beside is not None:
        return Start(x, sigmas, noise, beside=beside)
    return Start(x, sigmas, noise, known, None if hole is None else latent_mask(hole, factor).to(device))


def inputs(asked: GenerateRequest) -> tuple[Image.Image, Image.Image | None]:
    """The picture to start from and its mask ("L"), both of the size to paint.

    Raises InvalidRequest if one cannot be read, if their sizes differ, or if nothing is to be painted.
    """
    if asked.image is None:
        raise InvalidRequest("image", None, "given")
    photo = read_photo(asked.image)
    if asked.mask is None:
        return fitted(photo, size_of(asked)), None
    mask = read_mask(asked.mask)
    if mask.size != photo.size:
        wide, high = photo.size
        raise InvalidRequest("mask", f"{mask.width} x {mask.height} pixels", f"as large as the image, {wide} x {high}")
    hole = fitted(mask, size_of(asked))
    if hole.getextrema() == (0, 0):
        raise InvalidRequest("mask", str(asked.mask), "white somewhere: all black keeps everything")
    return fitted(photo, size_of(asked)), hole


def walked(asked: GenerateRequest) -> int:
    """Steps that a resolved request takes: fewer than its `steps` where it starts from a picture."""
    steps = asked.steps or 1
    return steps - (0 if asked.image is None else skipped(steps, asked.strength or 1.0, asked.way.plan))


def skipped(steps: int, strength: float, plan: str = "own") -> int:
    """Steps left out at the noisy end, so that about `strength` of them are walked, and one at least.

    With the plan of diffusers they are counted as diffusers does, which raises InvalidRequest for none.
    """
    return STARTS["inkwash" if plan == "own" else plan](steps, strength)[1]


def latent_mask(hole: Image.Image, factor: int) -> Mask:
    """A latent is painted anew as soon as one of its pixels is: (1, 1, h / factor, w / factor) of 0 and 1."""
    return max_pool2d((greys(hole) > 0).float(), factor)


def greys(hole: Image.Image) -> Float[Tensor, "1 1 height width"]:
    """A mask as numbers from 0 to 1."""
    return (pixels_of([hole.convert("RGB")])[:, :1] + 1) / 2


def size_of(asked: GenerateRequest) -> tuple[int, int]:
    """Width and height of a resolved request, in pixels."""
    return asked.width or 0, asked.height or 0
