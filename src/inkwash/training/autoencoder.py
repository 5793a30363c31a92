"""What the autoencoder is taught: the same picture back, to the eye, through latents that are easy to predict."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d, cosine_similarity, kl_div, log_softmax

from inkwash.latent.autoencoder import Autoencoder
from inkwash.nn.imagenet import ImageNet
from inkwash.types import Latents, Pixels

Scalar = Float[Tensor, ""]


@dataclass(frozen=True)
class ReconstructionWeights:
    """How much each kind of likeness counts."""

    fourier: float = 0.1
    perceptual: float = 0.1
    kl: float = 1e-4
    blocks: tuple[int, ...] = (2, 4, 10)
    """EfficientNet-Lite0 blocks whose features are compared."""
    answers: float = 0.0
    """What EfficientNet-Lite0 takes the picture for; wants whole pictures, not crops."""


def likeness(wanted: Pixels, found: Pixels, eyes: ImageNet, weights: ReconstructionWeights) -> Scalar:
    """L1 of pixels, of their spectrum, and of what an ImageNet network sees in them."""
    loss = (wanted - found).abs().mean()
    if weights.fourier:
        loss = loss + weights.fourier * spectral(wanted, found)
    if weights.answers:
        loss = loss + weights.answers * mistaken(wanted, found, eyes)
    return loss + weights.perceptual * perceptual(wanted, found, eyes, weights.blocks)


def spectral(wanted: Pixels, found: Pixels) -> Scalar:
    """Mean modulus of the difference of orthonormal spectra: sharp edges count as much as smooth areas."""
    return torch.view_as_real(torch.fft.rfft2(wanted - found, norm="ortho")).norm(dim=-1).mean()  # type: ignore[no-any-return]


def perceptual(wanted: Pixels, found: Pixels, eyes: ImageNet, blocks: tuple[int, ...]) -> Scalar:
    """L1 of features relative to their size, averaged over depths.  (Johnson 2016; Zhang 2018, without its weights)"""
    with torch.no_grad():
        real = eyes.maps(wanted, blocks)
    parts = [(a - b).abs().mean() / a.abs().mean() for a, b in zip(real, eyes.maps(found, blocks), strict=True)]
    return torch.stack(parts).mean()


def mistaken(wanted: Pixels, found: Pixels, eyes: ImageNet) -> Scalar:
    """How far an ImageNet network takes one picture for another, both enlarged to the size that it was taught at.

    One minus the cosine of its last features, and a tenth of the KL divergence of its answers.
    """
    with torch.no_grad():
        real = eyes.pooled(wanted)
        told = log_softmax(eyes.answers(real), 1)
    seen = eyes.pooled(found)
    apart = kl_div(log_softmax(eyes.answers(seen), 1), told, log_target=True, reduction="batchmean")
    return (1 - cosine_similarity(real, seen)).mean() + 0.1 * apart


def divergence(mean: Latents, logvar: Latents) -> Scalar:
    """KL of N(mean, exp(logvar)) from N(0, 1), mean over latents.  (Kingma & Welling 2014, app. B)"""
    return 0.5 * (mean**2 + logvar.exp() - 1 - logvar).mean()


@dataclass(frozen=True)
class Lesson:
    """One batch's loss and its parts; `found` is the reconstruction."""

    loss: Scalar
    found: Pixels
    kl: Scalar


def lesson(
    model: Autoencoder, pixels: Pixels, eps: Latents, eyes: ImageNet, weights: ReconstructionWeights, *, halved: bool
) -> Lesson:
    """Encode, draw, decode, compare. `halved`: latents shrunk to half must decode to the picture at half size,

    which keeps latents as smooth as pictures and the predictor's task easy.  (EQ-VAE, Kouzelis et al. 2025, eq. 7)
    """
    mean, logvar = model.moments(pixels)
    latents = mean + (0.5 * logvar).exp() * eps
    found, kl = model.decode(latents), divergence(mean, logvar)
    loss = likeness(pixels, found, eyes, weights) + weights.kl * kl
    if halved:
        small = model.decode(avg_pool2d(latents, 2))
        loss = loss + 0.5 * likeness(avg_pool2d(pixels, 2), small, eyes, weights)
    return Lesson(loss, found, kl)
