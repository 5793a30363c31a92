"""What stands in a hole before it is painted: colours that flow in from around it, noise, or nothing."""

import torch
from jaxtyping import Bool
from torch import Tensor
from torch.nn.functional import interpolate

from inkwash.denoiser import Changed, Denoiser
from inkwash.forward.noising import per_image
from inkwash.forward.schedule import Schedule
from inkwash.request.inpaint import Fill
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Mask, Pixels, Sigma


def flowed(pixels: Pixels, hole: Bool[Tensor, "1 1 height width"]) -> Pixels:
    """The hole filled smoothly with the colours around it; elsewhere nothing changes.

    Pull and push: means of what is known at every scale, and each gap takes its colour from the scale above.
    (Gortler et al. 1996, The Lumigraph, 3.4)
    """
    known = (~hole).to(pixels)
    return _gapless(pixels * known, known)


def _gapless(colours: Tensor, known: Tensor) -> Tensor:
    """`colours` are already multiplied by how far they are `known`, from 0 to 1."""
    high, wide = known.shape[2:]
    if high * wide == 1 or bool((known == 1).all()):
        return colours / known.clamp(min=1e-12)
    half = (-(-high // 2), -(-wide // 2))
    small, weight = interpolate(colours, half, mode="area"), interpolate(known, half, mode="area")
    saturated = (2 * weight).clamp(max=1)  # half of a place known is known well enough
    above = _gapless(small / weight.clamp(min=1e-12) * saturated, saturated)
    return colours + (1 - known) * interpolate(above, (high, wide), mode="bilinear", align_corners=False)


def latents_filled(known: Latents, mask: Mask, fill: Fill, noise: NoiseSource) -> Latents:
    """Latents with the hole filled, where the fill is one of latents; noise is of unit variance."""
    if fill == "noise":
        return (1 - mask) * known + mask * noise.like(known)
    return (1 - mask) * known if fill == "nothing" else known


def opened_in_time(strengths: Mask, known: Latents, schedule: Schedule, first: Sigma, inner: Denoiser) -> Denoiser:
    """Inpainting with a strength for every place: it is known until so much of the way (in t) is left, then painted.

    White is open from the `first` level on, black never.  (Levin & Fried 2023, Differential Diffusion, alg. 1)
    """
    whole_way = schedule.t(first)

    def change(guess: Latents, _x: Latents, sigma: Sigma) -> Latents:
        left = per_image(schedule.t(sigma) / whole_way).to(strengths)
        return torch.where((strengths > 0) & (strengths >= left * (1 - 1e-5)), guess, known)

    return Changed(inner, change)
