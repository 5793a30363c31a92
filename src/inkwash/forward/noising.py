"""The drop of ink spreads: clean tensors become noisy ones."""

from jaxtyping import Float
from torch import Tensor

from inkwash.types import Latents, Sigma


def add_noise(clean: Latents, sigma: Sigma, eps: Latents) -> Latents:
    """x = clean + sigma * eps: the one convention for noisy tensors, everywhere.  (Karras et al. 2022, eq. 1)

    `sigma` is one level for all, or one per picture. For the variance-preserving form multiply by `shrink(sigma)`.
    """
    return clean + per_image(sigma) * eps


def shrink(sigma: Sigma) -> Sigma:
    """1 / sqrt(1 + sigma²): turns clean + sigma * eps into sqrt(ᾱ) * clean + sqrt(1 - ᾱ) * eps.  (Ho 2020, eq. 4)"""
    return (1 + sigma**2).rsqrt()


def snr(sigma: Sigma) -> Sigma:
    """Signal-to-noise ratio of unit-variance data: 1 / sigma².  (Kingma et al. 2021, eq. 2)"""
    return sigma**-2


def per_image(sigma: Sigma) -> Float[Tensor, "#b 1 1 1"]:
    """() or (b,) -> broadcastable over (b, c, h, w)."""
    return sigma.reshape(-1, 1, 1, 1)
