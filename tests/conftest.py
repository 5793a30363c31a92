"""A whole model small enough to paint in milliseconds, with weights that are noise."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from inkwash.device import Compute
from inkwash.forward.schedule import FlowSchedule
from inkwash.latent.autoencoder import Autoencoder
from inkwash.latent.spec import TINY as TINY_SPACE
from inkwash.pipeline.engine import Engine
from inkwash.predictor.spec import TINY
from inkwash.predictor.unet import UNet
from inkwash.text.conditioning import Conditioner
from inkwash.text.encoder import TextEncoder, TextSpec
from inkwash.text.tokenizer import Tokenizer
from inkwash.weights.bundle import Bundle, Defaults, load_bundle, save_bundle
from tools.checkpoints import Shelf


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Chance is the same in every run: a test fails always, or never."""
    torch.manual_seed(0)


def tiny_bundle() -> Bundle:
    torch.manual_seed(0)
    tokenizer = Tokenizer.train(["a photo of a cat", "a photo of a beagle dog"], 600, 12)
    words = TextSpec(16, 1, 2, tokens=12, vocabulary=len(tokenizer), end=tokenizer.end, mask_padding=True)
    parts = UNet(TINY), Autoencoder(TINY_SPACE), TextEncoder(words)
    with torch.no_grad():
        for part in parts:
            for weight in part.parameters():
                weight.add_(0.05 * torch.randn(weight.shape))
            part.eval()
    unet, space, text = parts
    defaults = Defaults(width=32, height=32, steps=3, sampler="euler", spacing="sgm_uniform", guidance=2.0)
    return Bundle("tiny", unet, FlowSchedule(), "flow", space, Conditioner(tokenizer, text), defaults)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle on disk; do not write into it."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    save_bundle(folder, tiny_bundle())
    return folder


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """Released checkpoints in small; do not write into them."""
    return Shelf(tmp_path_factory.mktemp("shelf"))


@pytest.fixture(scope="session")
def engine(tiny_folder: Path) -> Engine:
    return Engine(load_bundle(tiny_folder), Compute(torch.device("cpu"), torch.float32))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photograph as large as the tiny model paints."""
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


@pytest.fixture
def half(tmp_path: Path) -> Path:
    """A mask that is white on the right."""
    hole = Image.new("L", (32, 32))
    hole.paste(255, (16, 0, 32, 32))
    hole.save(tmp_path / "half.png")
    return tmp_path / "half.png"
