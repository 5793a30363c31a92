"""Networks that see more than noise and words, painting through the engine."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from inkwash.device import Compute
from inkwash.errors import InvalidRequest
from inkwash.latent.beside import picture_beside
from inkwash.latent.tiling import Tiles
from inkwash.pictures.picture import pixels_of
from inkwash.pipeline.beside import shown
from inkwash.pipeline.engine import Engine
from inkwash.pipeline.resolve import resolved
from inkwash.pipeline.space import Space
from inkwash.pipeline.start import start
from inkwash.predictor.spec import TINY, UNetSpec
from inkwash.predictor.unet import UNet
from inkwash.request.generate import GenerateRequest
from inkwash.request.memory import Memory
from inkwash.weights.bundle import Bundle, load_bundle

CAT = GenerateRequest(prompt="a photo of a cat", seed=3)
CPU = torch.device("cpu")
With = Callable[[UNetSpec], Engine]


@pytest.fixture(scope="module")
def bundle(tiny_folder: Path) -> Bundle:
    return load_bundle(tiny_folder)


@pytest.fixture(scope="module")
def painting_with(bundle: Bundle) -> With:
    """The tiny model with another network."""

    def build(spec: UNetSpec) -> Engine:
        torch.manual_seed(1)
        network = UNet(spec)
        with torch.no_grad():
            for weight in network.parameters():
                weight.add_(0.05 * torch.randn(weight.shape))
        network.eval().requires_grad_(False)
        return Engine(replace(bundle, predictor=network), Compute(CPU, torch.float32))

    return build


def test_an_inpainting_network_sees_the_hole_and_starts_in_noise(painting_with: With, photo: Path, half: Path) -> None:
    engine = painting_with(replace(TINY, channels_in=9))
    (batch,) = engine.batches([replace(CAT, image=photo, mask=half)])
    begin = start(batch, engine.bundle, CPU)
    assert begin.beside is not None
    assert begin.mask is None
    assert torch.equal(begin.beside[0, 0], torch.tensor([0.0] * 4 + [1.0] * 4).expand(8, 8))
    (plain,) = engine.batches([CAT])
    assert torch.equal(begin.x, start(plain, engine.bundle, CPU).x)
    painted = np.asarray(engine.paint(replace(CAT, image=photo, mask=half, count=2))[1].image)
    assert np.array_equal(painted[:, :16], np.asarray(Image.open(photo))[:, :16])


def test_with_little_strength_it_starts_in_the_picture(painting_with: With, photo: Path, half: Path) -> None:
    engine = painting_with(replace(TINY, channels_in=9))
    (batch,) = engine.batches([replace(CAT, image=photo, mask=half, strength=0.34)])
    begin = start(batch, engine.bundle, CPU)
    assert len(begin.sigmas) == 2
    known = engine.bundle.autoencoder.encode(pixels_of([Image.open(photo)]))
    torch.testing.assert_close(((begin.x - known) / begin.sigmas[0]).std(), torch.tensor(1.0), rtol=0.1, atol=0.1)


def test_without_a_picture_it_paints_everything(painting_with: With) -> None:
    engine = painting_with(replace(TINY, channels_in=9))
    (batch,) = engine.batches([CAT])
    begin = start(batch, engine.bundle, CPU)
    assert begin.beside is not None
    assert (begin.beside[:, 0] == 1).all()
    grey = engine.bundle.autoencoder.encode(torch.zeros(1, 3, 32, 32))
    torch.testing.assert_close(begin.beside[:, 1:], grey)
    assert engine.paint(CAT)[0].image.size == (32, 32)


def test_an_instructed_network_sees_the_picture(painting_with: With, photo: Path) -> None:
    engine = painting_with(replace(TINY, channels_in=8))
    (batch,) = engine.batches([replace(CAT, image=photo, count=2)])
    assert (batch.shared.strength, batch.shared.image_guidance) == (1.0, 1.5)
    begin = start(batch, engine.bundle, CPU)
    seen = picture_beside(engine.bundle.autoencoder, engine.bundle.autoencoder.encode(pixels_of([Image.open(photo)])))
    assert begin.beside is not None
    assert torch.equal(begin.beside, seen)
    x, sigma = begin.x, begin.sigmas[1]
    words = engine.bundle.text(batch.prompts), engine.bundle.text(batch.unwanted)
    wanted, unwanted = (shown(each, seen) for each in words)
    blind = shown(words[1], torch.zeros_like(seen))
    schedule, scale = engine.bundle.schedule, batch.shared.guidance or 0
    s = sigma / (1 + sigma)
    both, look, neither = (
        x / (1 + sigma) - s * engine.bundle.predictor(x / (1 + sigma), schedule.t(sigma).expand(2), text)
        for text in (wanted, unwanted, blind)
    )
    expected = neither + scale * (both - look) + 1.5 * (look - neither)
    with torch.inference_mode():
        torch.testing.assert_close(engine.denoiser(batch, begin.sigmas, seen)(x, sigma), expected, rtol=1e-3, atol=1e-4)
    assert "Image CFG scale: 1.5" in engine.paint(replace(CAT, image=photo))[0].parameters


def test_an_instructed_network_wants_a_picture(painting_with: With) -> None:
    with pytest.raises(InvalidRequest, match="image is None, but must be given: tiny changes pictures"):
        painting_with(replace(TINY, channels_in=8)).paint(CAT)


def test_others_take_no_instructions(bundle: Bundle) -> None:
    with pytest.raises(InvalidRequest, match=r"must be left out: tiny takes no instructions"):
        resolved(replace(CAT, image_guidance=2.0), bundle)


@pytest.mark.parametrize("channels", [6, 7])
def test_channels_that_cannot_be_filled_are_refused(painting_with: With, channels: int) -> None:
    with pytest.raises(InvalidRequest, match=f"with a picture or a hole beside them, and not {channels}"):
        painting_with(replace(TINY, channels_in=channels)).paint(CAT)


def test_a_network_that_is_told_of_guidance_is_not_guided(painting_with: With) -> None:
    engine = painting_with(replace(TINY, guidance_width=8))

    def last(unwanted: str) -> torch.Tensor:
        return list(engine.stream(replace(CAT, guidance=8.0, negative_prompt=unwanted)))[-1].x

    assert torch.equal(last("a dog"), last(""))


def test_what_is_beside_is_encoded_as_the_request_wants_it(
    painting_with: With, photo: Path, half: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, asked = painting_with(replace(TINY, channels_in=9)), []
    encode = Space.encode
    monkeypatch.setattr(Space, "encode", lambda self, pixels: asked.append(self.tiling.decode) or encode(self, pixels))
    for tiled in (True, False):
        (batch,) = engine.batches([replace(CAT, image=photo, mask=half, memory=Memory(tiled=tiled))])
        start(batch, engine.bundle, CPU)
    factor = engine.bundle.autoencoder.spec.factor
    assert asked == [Tiles().size * factor, None]
