"""What is measured is folded into the spec: whoever reads it gets latents of unit variance."""

from dataclasses import replace

import pytest
import torch

from inkwash.latent.autoencoder import Autoencoder
from inkwash.latent.spec import TINY, AutoencoderSpec
from inkwash.training.statistics import measured


@pytest.mark.parametrize("before", [TINY, replace(TINY, latent_mean=(0.3, -1.0, 0.0, 2.0), latent_std=(0.5,))])
def test_draws_have_unit_variance_with_the_measured_spec(before: AutoencoderSpec) -> None:
    torch.manual_seed(0)
    network = Autoencoder(before).requires_grad_(False)
    network.encoder.conv_out.bias.copy_(torch.tensor([1.0, -2.0, 0.5, 0.0, -1.0, -0.5, 0.0, -3.0]))
    pixels = torch.randint(256, (40, 3, 16, 16), dtype=torch.uint8)
    network.spec = measured(network, pixels)
    assert len(network.spec.latent_mean) == len(network.spec.latent_std) == 4
    mean, logvar = network.moments(pixels.float() / 127.5 - 1)
    variance = mean.var(dim=(0, 2, 3)) + logvar.exp().mean(dim=(0, 2, 3))
    torch.testing.assert_close(mean.mean(dim=(0, 2, 3)), torch.zeros(4), atol=1e-5, rtol=0)
    torch.testing.assert_close(variance, torch.ones(4), atol=1e-5, rtol=0)


def test_the_statistics_do_not_change_what_is_decoded() -> None:
    torch.manual_seed(0)
    network = Autoencoder(TINY).requires_grad_(False)
    pixels = torch.randint(256, (4, 3, 16, 16), dtype=torch.uint8)
    real = pixels.float() / 127.5 - 1
    before = network.decode(network.encode(real))
    network.spec = measured(network, pixels)
    torch.testing.assert_close(network.decode(network.encode(real)), before, atol=1e-5, rtol=1e-5)
