"""The seam: `denoiser(x, sigma)` is the best guess of the clean latents inside x = clean + sigma * eps.

Networks and their habits stay below it, samplers above; features are functions from denoiser to denoiser.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
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


class Guesses(NamedTuple):
    """What a network says with the wanted words and with the unwanted ones, at a place and a level."""

    wanted: Latents
    unwanted: Latents
    x: Latents
    sigma: Sigma


Rule = Callable[[Guesses, float], Latents]
"""(guesses, scale) -> the guess to follow; others than `straight` are in guidance.py."""


def straight(found: Guesses, scale: float) -> Latents:
    """Away from the unwanted, through the wanted.  (Ho & Salimans 2022, eq. 6)"""
    return found.unwanted + scale * (found.wanted - found.unwanted)


class Halves(NamedTuple):
    """A guided guess, and the one that it was guided away from."""

    guided: Latents
    unguided: Latents


@dataclass(frozen=True)
class Guided:
    """A denoiser that weighs two guesses by a rule."""

    ask: Denoiser
    ask_both: Callable[[Latents, Sigma], tuple[Latents, Latents]]
    scale: float
    interval: Interval
    rule: Rule

    def __call__(self, x: Latents, sigma: Sigma) -> Latents:
        """The guided guess; the unwanted one is not asked for where it would not count."""
        return self.halves(x, sigma).guided if self._acts(sigma) else self.ask(x, sigma)

    def halves(self, x: Latents, sigma: Sigma) -> Halves:
        """Both guesses, for samplers that need to know them apart."""
        wanted, unwanted = self.ask_both(x, sigma)
        found = self.rule(Guesses(wanted, unwanted, x, sigma), self.scale) if self._acts(sigma) else wanted
        return Halves(found, unwanted)

    def _acts(self, sigma: Sigma) -> bool:
        return self.scale != 1 and self.interval[0] <= sigma.max().item() <= self.interval[1]


def guided(
    wanted: Denoiser, unwanted: Denoiser, scale: float, interval: Interval = EVERYWHERE, rule: Rule = straight
) -> Denoiser:
    """Away from `unwanted`, through `wanted`: classifier-free guidance, two calls."""
    return Guided(wanted, lambda x, sigma: (wanted(x, sigma), unwanted(x, sigma)), scale, interval, rule)


def guided_at_once(
    network: NetworkDenoiser,
    unwanted: TextStates,
    scale: float,
    interval: Interval = EVERYWHERE,
    rule: Rule = straight,
) -> Denoiser:
    """`guided`, asking the network once for both halves: faster where memory allows."""
    both = replace(network, text=joined(network.text, unwanted))

    def ask_both(x: Latents, sigma: Sigma) -> tuple[Latents, Latents]:
        wanted, away = both(x.repeat(2, 1, 1, 1), sigma.repeat(2) if sigma.ndim else sigma).chunk(2)
        return wanted, away

    return Guided(network, ask_both, scale, interval, rule)


@dataclass(frozen=True)
class Changed:
    """A denoiser whose every guess is changed afterwards, the guided and the unguided alike."""

    inner: Denoiser
    change: Callable[[Latents, Latents, Sigma], Latents]
    """(guess, x, sigma) -> guess."""

    def __call__(self, x: Latents, sigma: Sigma) -> Latents:
        """The changed guess."""
        return self.change(self.inner(x, sigma), x, sigma)

    def halves(self, x: Latents, sigma: Sigma) -> Halves:
        """Both guesses, changed."""
        return Halves(*(self.change(guess, x, sigma) for guess in halves(self.inner, x, sigma)))


def halves(denoise: Denoiser, x: Latents, sigma: Sigma) -> Halves:
    """The guided and the unguided guess of a denoiser; twice the same for one that is not guided."""
    if (both := getattr(denoise, "halves", None)) is not None:
        return both(x, sigma)  # type: ignore[no-any-return]
    guess = denoise(x, sigma)
    return Halves(guess, guess)


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
    return Changed(inner, lambda guess, _x, _sigma: mask * guess + (1 - mask) * known)
