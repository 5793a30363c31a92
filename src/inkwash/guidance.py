"""Guidance beyond the straight line: rules that weigh two guesses, and denoisers made from denoisers.

A rule goes into `guided(…, rule=…)`; rules are made from rules, so that they combine.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from inkwash.denoiser import (
    EVERYWHERE,
    Changed,
    Denoiser,
    Guesses,
    Halves,
    Interval,
    Rule,
    Target,
    halves,
    kept_outside,
    scalings,
    straight,
)
from inkwash.forward.noising import add_noise, per_image, shrink
from inkwash.forward.schedule import Schedule
from inkwash.types import Latents, Mask, Sigma


def rescaled(amount: float = 0.7, target: Target = "epsilon", rule: Rule = straight) -> Rule:
    """Guidance that keeps the contrast: the standard deviation of what is told, as it was with the words alone.

    `amount` 0 is `rule` itself, 1 the wanted deviation. `target` says of what: diffusers takes what the network tells,
    ComfyUI always v.  (Lin et al. 2023, eq. 14 to 16)
    """

    def weigh(found: Guesses, scale: float) -> Latents:
        c = scalings(target, found.sigma.to(found.x))
        told, wanted = ((guess - c.skip * found.x) / c.out for guess in (rule(found, scale), found.wanted))
        ratio = _deviation(wanted) / _deviation(told)
        return c.skip * found.x + c.out * told * (amount * ratio + 1 - amount)

    return weigh


def thresholded(mimic: float = 7.0, percentile: float = 1.0, rule: Rule = straight) -> Rule:
    """Guidance with a large scale in the range of a small one, `mimic`: channels are squeezed, not clipped.

    Values around each channel's mean beyond the `percentile` are cut before.  (after Saharia et al. 2022, 2.3, for
    latents, as web UIs have it)
    """

    def weigh(found: Guesses, scale: float) -> Latents:
        strong, calm = rule(found, scale).flatten(2), rule(found, mimic).flatten(2)
        middle, allowed = strong.mean(2, keepdim=True), _reach(calm - calm.mean(2, keepdim=True), 1.0)
        around = strong - middle
        largest = torch.maximum(_reach(around, percentile), allowed)
        return (around.clamp(-largest, largest) / largest * allowed + middle).reshape(found.x.shape)

    return weigh


def projected(parallel: float = 0.0, largest: float = 15.0, momentum: float = -0.5) -> Rule:
    """Adaptive projected guidance: the part of the push that only brightens is taken out.  (Sadat et al. 2024, alg. 1)

    `parallel` of the push along the wanted guess stays, its norm is at most `largest` (0: any), and `momentum` of the
    pushes before counts. The rule remembers: make one for every picture.
    """
    before: list[Latents] = []

    def weigh(found: Guesses, scale: float) -> Latents:
        push = found.wanted - found.unwanted
        push = push + momentum * before.pop() if before else push
        before.append(push)
        if largest > 0:
            push = push * (largest / _norm(push)).clamp(max=1)
        along = found.wanted / _norm(found.wanted)
        part = (push * along).sum((1, 2, 3), keepdim=True) * along
        return found.wanted + (scale - 1) * (push - part + parallel * part)

    return weigh


Pace = Callable[[Sigma], float]
"""How strongly a push acts at a level."""


def pushed(inner: Denoiser, better: Denoiser, worse: Denoiser, scale: float | Pace) -> Denoiser:
    """`inner`, and away from a `worse` network toward a `better`: autoguidance, perturbed attention, skipped layers.

    (Karras et al. 2024, eq. 4; Ahn et al. 2024, eq. 9) How the network is made worse is the caller's affair. Where
    the `scale` is 0 neither is asked.
    """

    def change(guess: Latents, x: Latents, sigma: Sigma) -> Latents:
        amount = scale if isinstance(scale, float | int) else scale(sigma)
        return guess if amount == 0 else guess + amount * (better(x, sigma) - worse(x, sigma))

    return Changed(inner, change)


@dataclass(frozen=True)
class Within:
    """A denoiser whose networks are changed while they are asked, and only then."""

    inner: Denoiser
    block: Callable[[], AbstractContextManager[None]]

    def __call__(self, x: Latents, sigma: Sigma) -> Latents:
        """The guess of the changed networks."""
        with self.block():
            return self.inner(x, sigma)

    def halves(self, x: Latents, sigma: Sigma) -> Halves:
        """Both guesses of the changed networks."""
        with self.block():
            return halves(self.inner, x, sigma)


def instructed(
    both: Denoiser, picture: Denoiser, neither: Denoiser, scales: tuple[float, float], interval: Interval = EVERYWHERE
) -> Denoiser:
    """Guidance by words and by a picture: D0 + s_words (D2 - D1) + s_picture (D1 - D0), with `scales` in this order.

    D0 is told `neither`, D1 the `picture` without the words, D2 `both`; outside the interval `both` alone is asked.
    (Brooks et al. 2023, eq. 3)
    """

    def denoise(x: Latents, sigma: Sigma) -> Latents:
        if scales == (1, 1) or not interval[0] <= sigma.max().item() <= interval[1]:
            return both(x, sigma)
        seen, unseen = picture(x, sigma), neither(x, sigma)
        return unseen + scales[0] * (both(x, sigma) - seen) + scales[1] * (seen - unseen)

    return denoise


def seen_outside(mask: Mask, known: Latents, eps: Latents, inner: Denoiser) -> Denoiser:
    """`kept_outside`, and the network is shown what is known under the same noise `eps` at every level.

    So diffusers inpaints with an ordinary network. A sampler that adds no noise and began at known + sigma * eps is
    there by itself; one that adds some would show its own.  (Lugmayr et al. 2022, alg. 1, with one noise)
    """

    def denoise(x: Latents, sigma: Sigma) -> Latents:
        return inner(mask * x + (1 - mask) * add_noise(known, sigma, eps).to(x), sigma)

    return kept_outside(mask, known, denoise)


def clipped(inner: Denoiser, percentile: float = 0.995, largest: float = 1.0) -> Denoiser:
    """`squeezed` guesses."""
    return Changed(inner, lambda guess, _x, _sigma: squeezed(guess, percentile, largest))


def squeezed(guess: Latents, percentile: float = 0.995, largest: float = 1.0) -> Latents:
    """A guess in pixels, cut at a percentile and squeezed back into [-1, 1].  (Saharia et al. 2022, 2.3)"""
    limit = _reach(guess.flatten(1)[:, None], percentile).clamp(1, max(largest, 1))[..., None]
    return guess.clamp(-limit, limit) / limit


def bounded(inner: Denoiser, schedule: Schedule, *, pace: float = 10.0, data: float = 0.5) -> Denoiser:
    """The boundary of consistency models: at t = 0 the input is the answer.  (Song et al. 2023, eq. 5; Luo et al. 2023)

    c_skip x + c_out D with c_skip = data² / ((pace t)² + data²), c_out = pace t / √((pace t)² + data²), x of unit
    variance.
    """

    def change(guess: Latents, x: Latents, sigma: Sigma) -> Latents:
        t = per_image(pace * schedule.t(sigma)).to(guess)
        total = t**2 + data**2
        return data**2 / total * shrink(per_image(sigma)).to(guess) * x + t * total.rsqrt() * guess

    return Changed(inner, change)


def _deviation(x: Latents) -> Float[Tensor, "b 1 1 1"]:
    return x.std((1, 2, 3), keepdim=True)


def _norm(x: Latents) -> Float[Tensor, "b 1 1 1"]:
    return x.square().sum((1, 2, 3), keepdim=True).sqrt().clamp(min=1e-12)


def _reach(x: Float[Tensor, "b c n"], percentile: float) -> Float[Tensor, "b c 1"]:
    """The size that `percentile` of the values stay below."""
    return x.abs().quantile(percentile, dim=2, keepdim=True).clamp(min=1e-12)
