"""What latents are like over many pictures: with it folded into the spec they have unit variance."""

from collections.abc import Iterator
from dataclasses import replace

import torch
from jaxtyping import UInt8
from torch import Tensor

from inkwash.latent.autoencoder import Autoencoder
from inkwash.latent.spec import AutoencoderSpec
from inkwash.types import Latents

CHUNK = 32


@torch.no_grad()
def measured(network: Autoencoder, pixels: UInt8[Tensor, "n 3 height width"]) -> AutoencoderSpec:
    """The spec of `network` with mean and deviation of every channel, draws from the posterior counted in.

    The variance of a draw is that of the means plus the mean of the variances.
    """
    parts = list(_moments(network, pixels))
    mean, logvar = (torch.cat(part).double() for part in zip(*parts, strict=True))
    centre = mean.mean(dim=(0, 2, 3))
    spread = (mean.var(dim=(0, 2, 3)) + logvar.exp().mean(dim=(0, 2, 3))).sqrt()
    old_mean, old_std = (torch.tensor(each).double() for each in (network.spec.latent_mean, network.spec.latent_std))
    return replace(
        network.spec,
        latent_mean=tuple((old_mean + old_std * centre).tolist()),
        latent_std=tuple((old_std * spread).tolist()),
    )


def _moments(network: Autoencoder, pixels: UInt8[Tensor, "n 3 height width"]) -> Iterator[tuple[Latents, Latents]]:
    for part in pixels.split(CHUNK):
        yield network.moments((part.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last))
