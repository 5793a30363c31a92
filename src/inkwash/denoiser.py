"""The seam: `denoiser(x, sigma)` is the best guess of the clean latents inside x = clean + sigma * eps.

Networks and their habits stay below it, samplers above; features are functions from denoiser to denoiser.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from inkwash.forward.noising import per_image
from inkwash.forward.schedule import Schedule
from inkwash.types import Latents, Mask, Sigma, TextStates, joined

Denoiser = Callable[[Latents, Sigma], Latents]
"""D(x; sigma).  (Karras et al. 2022, eq. 2)"""

Target = Literal["epsilon", "v", "x0", "flow"]
"""What a network was taught to tell."""


@runtime_checkable
class NoisePredictor(Protocol):
    """A network: unit-variance noisy latents, the step t of every picture, words."""

    def __call__(self, x: Latents, t: Float[Tensor, " b"], text: TextStates) -> Latents: ...  # noqa: D102


class Scalings(NamedTuple):
    """D(x; sigma) = skip * x + out * network(into * x, t): one line for every kind of network."""

    skip: Tensor
    out: Tensor
    into: Tensor


def scalings(target: Target, sigma: Sigma) -> Scalings:
    """The factors for a target, shaped for (b, c, h, w).  (Karras et al. 2022, eq. 7; Salimans & Ho 2022, app. D)"""
    s = per_image(sigma)
    shrink = (1 + s**2).rsqrt()
    match target:
        case "epsilon":
            return Scalings(s.new_ones(()), -s, shrink)
        case "v":
            return Scalings(shrink**2, -s * shrink, shrink)
        case "x0":
            return Scalings(s.new_zeros(()), s.new_ones(()), shrink)
        case "flow":
            return Scalings(1 / (1 + s), -s / (1 + s), 1 / (1 + s))


@dataclass(frozen=True)
class NetworkDenoiser:
    """A network behind the seam, with its words bound in."""

    predict: NoisePredictor
    schedule: Schedule
    target: Target
    text: TextStates

    def __call__(self, x: Latents, sigma: Sigma) -> Latents:
        """Latents at level `sigma`, () or (b,) -> the guess of the clean ones."""
        c = scalings(self.target, sigma.to(x.device))
        t = self.schedule.t(sigma).expand(len(x)).to(x)
        return c.skip * x + c.out * self.predict(c.into * x, t, self.text)


Interval = tuple[float, float]
"""Noise levels sigma between which guidance acts.  (Kynkäänniemi et al. 2024)"""
EVERYWHERE: Interval = (0.0, float("inf"))


def guided(wanted: Denoiser, unwanted: Denoiser, scale: float, interval: Interval = EVERYWHERE) -> Denoiser:
    """Away from `unwanted`, through `wanted`: classifier-free guidance.  (Ho & Salimans 2022, eq. 6)"""

    def denoise(x: Latents, sigma: Sigma) -> Latents:
        if scale == 1 or not interval[0] <= sigma.max().item() <= interval[1]:
            return wanted(x, sigma)
        away = unwanted(x, sigma)
        return away + scale * (wanted(x, sigma) - away)

    return denoise


def guided_at_once(
    network: NetworkDenoiser, unwanted: TextStates, scale: float, interval: Interval = EVERYWHERE
) -> Denoiser:
    """`guided`, asking the network once for both halves: faster where memory allows."""
    both = NetworkDenoiser(network.predict, network.schedule, network.target, joined(network.text, unwanted))

    def denoise(x: Latents, sigma: Sigma) -> Latents:
        if scale == 1 or not interval[0] <= sigma.max().item() <= interval[1]:
            return network(x, sigma)
        toward, away = both(x.repeat(2, 1, 1, 1), sigma.repeat(2) if sigma.ndim else sigma).chunk(2)
        return away + scale * (toward - away)

    return denoise


Towards = tuple[Denoiser, Float[Tensor, " b"]]
"""A denoiser, and how much each picture wants to go its way."""


def composed(wanted: Sequence[Towards], unwanted: Denoiser, scale: float, interval: Interval = EVERYWHERE) -> Denoiser:
    """Away from `unwanted`, toward several prompts at once: u + s sum_k w_k (c_k - u).  (Liu et al. 2022, eq. 11)

    Outside the interval s is 1.
    """

    def denoise(x: Latents, sigma: Sigma) -> Latents:
        away = unwanted(x, sigma)
        inside = interval[0] <= sigma.max().item() <= interval[1]
        moves = [per_image(weights.to(x)) * (denoiser(x, sigma) - away) for denoiser, weights in wanted]
        return away + (scale if inside else 1.0) * torch.stack(moves).sum(dim=0)

    return denoise


def in_turns(at: Callable[[Sigma], Denoiser]) -> Denoiser:
    """Another denoiser at every level, or call: prompts that change on the way."""
    return lambda x, sigma: at(sigma)(x, sigma)


def kept_outside(mask: Mask, known: Latents, inner: Denoiser) -> Denoiser:
    """Inpainting: what the mask leaves out is known already.  (Lugmayr et al. 2022, eq. 8)"""
    return lambda x, sigma: mask * inner(x, sigma) + (1 - mask) * known
