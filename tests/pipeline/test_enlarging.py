"""Upscaling networks: a tiny ESRGAN through our path and by spandrel itself."""

import builtins
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from inkwash.errors import InvalidRequest
from inkwash.pipeline.engine import Engine
from inkwash.pipeline.enlarging import by_network, larger_pictures
from inkwash.request.generate import GenerateRequest
from inkwash.request.hires import Hires

WIDTH, GROWTH, FACTOR = 8, 32, 4
"""Spandrel takes no other growth."""


@pytest.fixture
def spandrel() -> Any:
    """It needs a torchvision that fits torch: that of PyPI is made for CUDA, and breaks beside a torch for CPUs."""
    try:
        import spandrel
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"spandrel cannot be imported: {error}")
    return spandrel


def esrgan() -> dict[str, Tensor]:
    """The weights of an RRDB network with one block that makes pictures four times as large.  (Wang et al. 2018)"""
    chance = torch.Generator().manual_seed(3)

    def convolutions() -> Iterator[tuple[str, int, int]]:
        yield "conv_first", 3, WIDTH
        for dense in (1, 2, 3):
            for number in range(1, 6):
                yield (
                    f"body.0.rdb{dense}.conv{number}",
                    WIDTH + (number - 1) * GROWTH,
                    WIDTH if number == 5 else GROWTH,
                )
        for name in ("conv_body", "conv_up1", "conv_up2", "conv_hr"):
            yield name, WIDTH, WIDTH
        yield "conv_last", WIDTH, 3

    found = {}
    for name, before, after in convolutions():
        found[f"{name}.weight"] = torch.randn(after, before, 3, 3, generator=chance) * 0.1
        found[f"{name}.bias"] = torch.rand(after, generator=chance) * 0.2
    return found


@pytest.fixture
def network(tmp_path: Path) -> Path:
    save_file(esrgan(), tmp_path / "x4.safetensors")
    return tmp_path / "x4.safetensors"


@pytest.fixture
def pictures() -> list[Image.Image]:
    noise = np.random.default_rng(0).integers(0, 256, (2, 8, 12, 3), dtype=np.uint8)
    return [Image.fromarray(each) for each in noise]


def test_pictures_are_as_spandrel_makes_them(spandrel: Any, network: Path, pictures: list[Image.Image]) -> None:
    found = by_network(pictures, network)
    direct = spandrel.ModelLoader().load_from_state_dict(esrgan())
    assert direct.scale == FACTOR
    for picture, mine in zip(pictures, found, strict=True):
        pixels = torch.from_numpy(np.asarray(picture, dtype=np.float32) / 255).permute(2, 0, 1)[None]
        with torch.inference_mode():
            wanted = direct(pixels)[0].permute(1, 2, 0).clamp(0, 1) * 255
        assert mine.size == (12 * FACTOR, 8 * FACTOR)
        np.testing.assert_allclose(np.asarray(mine, dtype=np.float32), wanted.numpy(), atol=0.51)
        assert wanted.std() > 1, "a picture of one colour would tell nothing"


def test_a_second_pass_begins_in_what_the_network_made(
    spandrel: Any, network: Path, engine: Engine, pictures: list[Image.Image]
) -> None:
    cat = GenerateRequest(prompt="a cat", seed=3, steps=2)
    asked = GenerateRequest(
        prompt="a cat", seed=3, steps=2, hires=Hires(scale=2.0, upscaler=str(network), strength=0.5, steps=1)
    )
    (small,), (large,) = engine.paint(cat), engine.paint(asked)
    assert (small.image.size, large.image.size) == ((32, 32), (64, 64))
    assert large.record.inputs.keys() == {network.as_posix()}, "another file would paint another picture"


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"a": torch.zeros(1)}, r"hires.upscaler is .* must be an upscaling network"),
        (esrgan() | {"body.0.rdb1.conv1.weight": torch.zeros(4, 8, 3, 3)}, r"must be an upscaling network \(Error"),
        (None, r"hires.upscaler is .* must be a .safetensors file that is there"),
    ],
)
def test_what_is_no_network_is_told(
    spandrel: Any, tmp_path: Path, pictures: list[Image.Image], weights: dict[str, Tensor] | None, message: str
) -> None:
    if weights is not None:
        save_file(weights, tmp_path / "x.safetensors")
    with pytest.raises(InvalidRequest, match=message) as told:
        larger_pictures(pictures, (16, 16), str(tmp_path / "x.safetensors"))
    assert len(str(told.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ImportError("spandrel"), r"hires.upscaler is .* pip install 'inkwash\[upscale\]'"),
        (
            RuntimeError("operator torchvision::nms does not exist"),
            r"a torchvision that fits torch .*nms does not exist",
        ),
    ],
)
def test_what_is_missing_is_told(
    monkeypatch: pytest.MonkeyPatch, network: Path, pictures: list[Image.Image], error: Exception, message: str
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "spandrel":
            raise error
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InvalidRequest, match=message):
        larger_pictures(pictures, (16, 16), str(network))
