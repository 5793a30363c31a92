from dataclasses import replace

import pytest
import torch

from inkwash.errors import InvalidRequest
from inkwash.pipeline.engine import Engine
from inkwash.pipeline.space import Space
from inkwash.pipeline.start import start
from inkwash.request.generate import GenerateRequest
from inkwash.request.tiling import Tiling
from inkwash.reverse.registry import SAMPLERS
from inkwash.weights.plain import built

CAT = GenerateRequest(prompt="a photo of a cat", seed=3)


def last(engine: Engine, tiling: Tiling, moved: int) -> torch.Tensor:
    """The last latents from noise that is rolled to the right."""
    (batch,) = engine.batches([replace(CAT, tiling=tiling)])
    begin = start(batch, engine.bundle, torch.device("cpu"))
    with torch.inference_mode():
        denoise = engine.denoiser(batch, begin.sigmas)
        *_, step = SAMPLERS["euler"](denoise, torch.roll(begin.x, moved, 3), begin.sigmas, begin.noise)
    return step.x


def test_rolled_noise_gives_the_rolled_picture(engine: Engine) -> None:
    around = Tiling(seamless="x")
    plain, moved = last(engine, around, 0), last(engine, around, 4)
    torch.testing.assert_close(moved, torch.roll(plain, 4, 3), atol=1e-3, rtol=1e-3)
    first, second = (engine.look(each, Space(engine.bundle, around))[0] for each in (plain, torch.roll(plain, 4, 3)))
    assert first.crop((0, 0, 16, 32)).tobytes() == second.crop((16, 0, 32, 32)).tobytes()
    assert not torch.allclose(last(engine, Tiling(), 4), torch.roll(last(engine, Tiling(), 0), 4, 3), atol=1e-2)


def test_windows_as_large_as_the_picture_change_nothing(engine: Engine) -> None:
    plain = engine.paint(CAT)[0].image.tobytes()
    assert engine.paint(replace(CAT, tiling=Tiling(window=32)))[0].image.tobytes() == plain
    assert engine.paint(replace(CAT, tiling=Tiling(window=16)))[0].image.tobytes() != plain


def test_tiles_of_the_autoencoder_come_near_the_whole(engine: Engine) -> None:
    whole, tiled = (
        torch.frombuffer(bytearray(engine.paint(asked)[0].image.tobytes()), dtype=torch.uint8).float()
        for asked in (
            replace(CAT, width=128, height=64, steps=1),
            replace(CAT, width=128, height=64, steps=1, tiling=Tiling(decode=64)),
        )
    )
    assert (whole - tiled).abs().mean() < 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"seamless": "z"}, r"tiling.seamless is 'z', but must be one of none, x, y, both"),
        ({"overlap": 8}, r"tiling.overlap is 8, but must be smaller than tiling.window"),
        ({"seamless": "x", "window": 64}, r"tiling.window is 64, but must be left out"),
        ({"seamless": "x", "decode": 64}, r"tiling.decode is 64, but must be left out"),
    ],
)
def test_what_cannot_be_meant(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        built(Tiling, wrong, "tiling")
