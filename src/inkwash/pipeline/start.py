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
from inkwash.pipeline.batch import Batch
from inkwash.pipeline.beside import Beside, beside_of, wanted_beside
from inkwash.pipeline.filling import flowed, latents_filled, opened_in_time
from inkwash.pipeline.picture import greys, pixels_of
from inkwash.pipeline.request import GenerateRequest
from inkwash.pipeline.space import Space
from inkwash.pipeline.surface import surface
from inkwash.reverse.entry import STARTS
from inkwash.reverse.spacing import SPACINGS
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Mask, Sigmas
from inkwash.weights.bundle import Bundle

Photo = Float[Tensor, "1 3 height width"]


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
    sigmas = SPACINGS[str(asked.spacing)](bundle.schedule, asked.steps or 1).to(device)
    noise = NoiseSource.seeded(request.seed or 0 for request in batch.requests)
    shape = (bundle.autoencoder.spec.latent_channels, height // factor, width // factor)
    paper = None if asked.image is None else surface(asked)
    beside, seen = beside_of(bundle, asked, paper, noise), wanted_beside(bundle) in ("small", "picture", "hole")
    eps = _varied(noise.draw(shape), batch).to(device)
    if paper is None or (seen and asked.strength == 1):  # all it has to know of the picture is beside
        return Start(sigmas[0] * eps, sigmas, noise, beside=beside)
    known, mask = _known(batch, bundle, pixels_of([paper.photo]).to(device), paper.mask, noise)
    sigmas = sigmas[skipped(len(sigmas) - 1, asked.strength or 1.0) :]
    x = add_noise(known, sigmas[0], eps)
    if seen:
        return Start(x, sigmas, noise, beside=beside)
    return Start(x, sigmas, noise, known, mask, beside, bundle.schedule if asked.inpaint.soft else None)


def _known(
    batch: Batch, bundle: Bundle, pixels: Photo, hole: Image.Image | None, noise: NoiseSource
) -> tuple[Latents, Mask | None]:
    """Latents of the picture for every one of the batch, with the hole filled as asked, and the hole itself."""
    wanted, space = batch.shared.inpaint, Space(bundle, batch.shared.tiling)
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
    return second + steps - (0 if asked.image is None else skipped(steps, asked.strength or 1.0))


def skipped(steps: int, strength: float) -> int:
    """Steps left out at the noisy end, so that about `strength` of them are walked, and one at least."""
    return STARTS["inkwash"](steps, strength)[1]


def latent_mask(hole: Image.Image, factor: int) -> Mask:
    """A latent is painted anew as soon as one of its pixels is: (1, 1, h / factor, w / factor) of 0 and 1."""
    return max_pool2d((greys(hole) > 0).float(), factor)


def between(low: Latents, high: Latents, part: float) -> Latents:
    """Along the great circle from `low` (part 0) to `high` (1), picture by picture: noise stays noise.

    Straight lines would pass through latents of too little variance.  (Shoemake 1985, slerp)
    """
    flat_low, flat_high = low.flatten(1), high.flatten(1)
    cosine = torch.nn.functional.cosine_similarity(flat_low, flat_high, dim=1).clamp(-1, 1)
    angle = cosine.acos().clamp(min=1e-4)[:, None]
    mixed = (((1 - part) * angle).sin() * flat_low + (part * angle).sin() * flat_high) / angle.sin()
    return mixed.reshape(low.shape)


def size_of(asked: GenerateRequest) -> tuple[int, int]:
    """Width and height of a resolved request, in pixels."""
    return asked.width or 0, asked.height or 0


def _varied(eps: Latents, batch: Batch) -> Latents:
    part = batch.shared.subseed_strength
    if not part:
        return eps
    other = NoiseSource.seeded(request.subseed or 0 for request in batch.requests)
    return between(eps, other.draw(tuple(eps.shape[1:])), part)
