"""Every recipe describes a training that can begin."""

import pytest
import torch

from inkwash.latent.autoencoder import Autoencoder
from inkwash.latent.spec import PETS
from inkwash.predictor.unet import UNet
from inkwash.training.config import AutoencoderConfig, TrainConfig
from inkwash.training.recipes import RECIPES


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_recipe_fits_together(name: str) -> None:
    recipe = RECIPES[name]()
    config = recipe.config
    if isinstance(config, TrainConfig):
        assert config.name == name
        assert config.predictor.text_width == recipe.text.spec.width
        assert config.predictor.pooled_width in (0, recipe.text.spec.pooled)
        assert config.predictor.channels_in == (3 if recipe.space == "pixels" else PETS.latent_channels)
        with torch.device("meta"):
            UNet(config.predictor)
    elif isinstance(config, AutoencoderConfig):
        assert config.crop % config.autoencoder.factor == 0
        assert config.crop <= config.size
        with torch.device("meta"):
            Autoencoder(config.autoencoder)
