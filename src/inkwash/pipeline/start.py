"""Where reverse diffusion begins: in noise, in a picture, in a picture with a hole."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from torch.nn.functional import max_pool2d

from inkwash.denoiser import Denoiser, kept_outside
from inkwash.forward.noising import add_noise
from inkwash.forward.schedule import Schedule
from inkwash.pictures.filling import flowed, latents_filled, opened_in_time
from inkwash.pictures.picture import greys, pixels_of
from inkwash.pictures.surface import surface
from inkwash.pipeline.batch import Batch
from inkwash.pipeline.beside import Beside, beside_of, wanted_beside
from inkwash.pipeline.noises import first_noise, sources_of
from inkwash.pipeline.space import space_of
from inkwash.pipeline.walking import walk_of
from inkwash.request.generate import GenerateRequest
from inkwash.reverse.entry import STARTS
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Mask, Sigmas
from inkwash.weights.bundle import Bundle

Photo = Float[Tensor, "1 3 height width"]
SEEN = ("small", "picture", "hole")
"""Kinds of what networks are shown beside the latents that tell all about the picture."""


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
    opening: Schedule | None = None
    """Set where greys of the mask are strengths: measures how much of the way is left."""

    def bound(self, denoise: Denoiser) -> Denoiser:
        """`denoise`, told what is known outside the mask."""
        if self.mask is None or self.known is None:
            return denoise
        if self.opening is not None:
            return opened_in_time(self.mask, self.known, self.opening, self.sigmas[0], denoise)
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
    paper = None if asked.image is None else surface(asked)
    first, noise = sources_of(batch)
    beside = beside_of(bundle, asked, paper, first)  # before the latents, as diffusers draws for small pictures
    eps, seen = first_noise(first, batch, shape, factor).to(device), wanted_beside(bundle) in SEEN
    if paper is None or (seen and asked.strength == 1):  # all it has to know of the picture is beside
        return Start(walk.start * eps, sigmas, noise, beside=beside)
    known, mask = _known(batch, bundle, pixels_of([paper.photo]).to(device), paper.mask, noise)
    sigmas = sigmas[skipped(len(sigmas) - 1, asked.strength or 1.0, asked.way.plan) :]
    x = add_noise(known, sigmas[0], eps)
    if seen:
        return Start(x, sigmas, noise, beside=beside)
    return Start(x, sigmas, noise, known, mask, beside, bundle.schedule if asked.inpaint.soft else None)


def _known(
    batch: Batch, bundle: Bundle, pixels: Photo, hole: Image.Image | None, noise: NoiseSource
) -> tuple[Latents, Mask | None]:
    """Latents of the picture for every one of the batch, with the hole filled as asked, and the hole itself."""
    wanted, space = batch.shared.inpaint, space_of(bundle, batch.shared)
    if hole is not None and (wanted.fill == "blurred" or batch.shared.outpaint.acts):
        pixels = flowed(pixels, greys(hole).to(pixels) > 0)
    known = space.encode(pixels).expand(len(batch), -1, -1, -1)
    if hole is None:
        return known, None
    mask = latent_mask(hole, space.factor).to(known)
    strengths = max_pool2d(greys(hole), space.factor).to(known) if wanted.soft else mask
    return latents_filled(known, mask, wanted.fill, noise), strengths


def walked(asked: GenerateRequest) -> int:
    """Steps that a resolved request takes: fewer than its `steps` where it starts from a picture."""
    steps = asked.steps or 1
    second = (asked.hires.steps or 1) if asked.hires.acts else 0
    return second + steps - (0 if asked.image is None else skipped(steps, asked.strength or 1.0, asked.way.plan))


def skipped(steps: int, strength: float, plan: str = "own") -> int:
    """Steps left out at the noisy end, so that about `strength` of them are walked, and one at least.

    With the plan of diffusers they are counted as diffusers does, which raises InvalidRequest for none.
    """
    return STARTS["inkwash" if plan == "own" else plan](steps, strength)[1]


def latent_mask(hole: Image.Image, factor: int) -> Mask:
    """A latent is painted anew as soon as one of its pixels is: (1, 1, h / factor, w / factor) of 0 and 1."""
    return max_pool2d((greys(hole) > 0).float(), factor)


def size_of(asked: GenerateRequest) -> tuple[int, int]:
    """Width and height of a resolved request, in pixels."""
    return asked.width or 0, asked.height or 0
