import pytest
import torch
from torch import nn

from inkwash.latent.tiny_autoencoder import TAESD, TAESD3, TinyAutoencoder, TinyAutoencoderSpec, TinyBlock
from inkwash.rng import NoiseSource
from tools.golden.filling import filled

SMALL = TinyAutoencoderSpec(width=8, encoder_blocks=(1, 1, 2), decoder_blocks=(1, 2, 1))


@pytest.mark.parametrize(("spec", "parameters"), [(TAESD, 2_445_063), (TAESD3, 2_458_899)])
def test_released_ones_have_their_number_of_parameters_and_no_norms(spec: TinyAutoencoderSpec, parameters: int) -> None:
    with torch.device("meta"):
        model = TinyAutoencoder(spec)
    assert sum(weight.numel() for weight in model.parameters()) == parameters
    assert len(model.state_dict()) == 134
    assert {type(module) for module in model.modules() if not list(module.children())} == {
        nn.Conv2d,
        nn.ReLU,
        nn.Upsample,
    }
    assert spec.factor == 8


def test_sizes_follow_the_factor() -> None:
    model = filled(TinyAutoencoder(SMALL))
    latents = model.encode(torch.rand(2, 3, 16, 24) * 2 - 1)
    assert SMALL.factor == 4
    assert latents.shape == (2, 4, 4, 6)
    assert model.decode(latents).shape == (2, 3, 16, 24)


def test_there_is_nothing_to_draw() -> None:
    model, pixels = filled(TinyAutoencoder(SMALL)), torch.rand(1, 3, 8, 8) * 2 - 1
    mean, logvar = model.moments(pixels)
    assert torch.equal(model.encode(pixels, NoiseSource.seeded([1])), mean)
    assert bool((logvar == -30).all())


def test_latents_beyond_three_are_bent_softly() -> None:
    model = filled(TinyAutoencoder(SMALL))
    far = torch.full((1, 4, 2, 2), 30.0)
    torch.testing.assert_close(model.decode(far), model.decode(10 * far))
    assert not torch.allclose(model.decode(far), model.decode(far / 20))


def test_a_block_ends_in_a_relu() -> None:
    block, x = TinyBlock(4), torch.randn(1, 4, 3, 3)
    for weight in block.parameters():
        nn.init.zeros_(weight)
    assert torch.equal(block(x), x.clamp(min=0))
