"""Groups of options through the command line: painted, and painted again byte for byte."""

from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
import torch
from PIL import Image

from inkwash.weights.bundle import load_bundle, save_bundle
from inkwash.weights.single import Base
from tools.checkpoints import Shelf

Inkwash = Callable[..., Any]
ASKED = ("--steps", "3", "--seed", "5", "--device", "cpu", "--preview", "off")
RULES = ("--rules.rescale", "0.7", "--rules.mimic", "3", "--rules.projected")
PUSHES = ("--pag.scale", "2", "--pag.layers", "mid", "up_blocks.0", "--freeu.b1", "1.2", "--freeu.s1", "0.9")
NOISE = ("--noise.rng", "philox", "--noise.delta", "31337", "--noise.resize-from", "16", "24", "--noise.tree")
WAY = ("--sampler", "DPM++ 2M SDE Karras", "--way.eta", "0.7", "--way.s-noise", "1.01", "--way.discard")
SKIPPED = ("--slg.scale", "2.5", "--slg.layers", "1", "--slg.start", "0", "--slg.stop", "1")
GROUPS = ("rules", "pag", "slg", "freeu", "noise", "way", "refiner", "micro")
SIZES = ("--micro.original", "512", "512", "--micro.corner", "0", "64", "--way.plan", "diffusers")


def painted_twice(inkwash: Inkwash, *words: str | Path) -> Path:
    done = inkwash("paint", "a photo of a cat", *words, *ASKED)
    assert (done.code, len(done.paths)) == (0, 1), done.err
    again = inkwash("again", done.paths[0], "--preview", "off")
    assert (again.code, "the same file, byte for byte" in again.err) == (0, True), again.err
    path: Path = done.paths[0]
    return path


def opened(path: Path) -> Image.Image:
    with Image.open(path) as image:
        image.load()
        return image


@pytest.mark.parametrize("more", [RULES + PUSHES, NOISE + WAY], ids=["guidance", "noise"])
def test_our_own_model(inkwash: Inkwash, tiny_folder: Path, more: tuple[str, ...]) -> None:
    usual = opened(painted_twice(inkwash, "--model", tiny_folder))
    steered = opened(painted_twice(inkwash, "--model", tiny_folder, *more))
    assert usual.tobytes() != steered.tobytes()
    assert '"sampler":"DPM' not in steered.info["inkwash"]
    assert not [group for group in GROUPS if f'"{group}":' in usual.info["inkwash"]]
    assert [group for group in GROUPS if f'"{group}":' in steered.info["inkwash"]]


@pytest.mark.slow
@pytest.mark.parametrize(("base", "more"), [("sd3", SKIPPED), ("sdxl", SIZES)])
def test_released_models(inkwash: Inkwash, shelf: Shelf, base: Base, more: tuple[str, ...]) -> None:
    painted_twice(inkwash, "--model", shelf(base, "folder"), "--width", "32", "--height", "32", *more)


@pytest.mark.slow
def test_the_refiner_of_sdxl(inkwash: Inkwash, shelf: Shelf) -> None:
    second = ("--refiner.model", shelf("refiner", "folder"), "--refiner.switch-at", "0.5", "--micro.aesthetic", "7")
    painted_twice(inkwash, "--model", shelf("sdxl", "folder"), "--width", "32", "--height", "32", *second)


def test_a_refiner_that_has_changed_is_noticed(inkwash: Inkwash, tiny_folder: Path, tmp_path: Path) -> None:
    other = Path(copytree(tiny_folder, tmp_path / "other"))
    path = painted_twice(inkwash, "--model", tiny_folder, "--refiner.model", other, "--refiner.switch-at", "0.5")
    assert "Refiner: other [" in opened(path).info["parameters"]
    bundle = load_bundle(other)
    with torch.no_grad():
        next(bundle.predictor.parameters()).mul_(2)
    save_bundle(other, bundle, overwrite=True)
    again = inkwash("again", path, "--preview", "off")
    assert (again.code, again.err.count("\n")) == (3, 1), again.err
    assert "it was refined by another tiny" in again.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--slg.scale", "2.5"), "slg.scale is 2.5, but must be left out: tiny is no Stable Diffusion 3"),
        (("--way.eta", "0.5"), "way.eta is 0.5, but must be left out: euler has no such knob"),
        (("--rules.rescale", "7"), "rules.rescale is 7.0, but must be a number from 0 to 1"),
        (("--micro.corner", "8", "8"), "micro is 'given', but must be left out: tiny is told words only"),
        (("--sampler", "eular"), "did you mean euler"),
    ],
)
def test_what_cannot_be_takes_one_line(inkwash: Inkwash, tiny_folder: Path, words: tuple[str, ...], said: str) -> None:
    done = inkwash("paint", "a cat", "--model", tiny_folder, *words, *ASKED)
    assert (done.code, done.err.count("\n")) == (2, 1), done.err
    assert said in done.err
