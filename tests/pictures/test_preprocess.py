from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from inkwash.pictures.filters import blurred
from inkwash.pictures.picture import pixels_of
from inkwash.pictures.preprocess import MAKERS, brought, prepared
from inkwash.request.control import Control, Preprocessor, Resize


def made(picture: Image.Image, name: Preprocessor, a: float | None = None) -> np.ndarray:
    control = Control(model=Path("net"), image=Path("a.png"), preprocessor=name, threshold_a=a)
    return np.asarray(prepared(picture, control)).astype(int)


@pytest.fixture
def drawing() -> Image.Image:
    """A dark line across white paper."""
    paper = Image.new("RGB", (48, 32), "white")
    ImageDraw.Draw(paper).rectangle((0, 15, 47, 16), "black")
    return paper


@pytest.fixture
def noise() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8))


def test_every_name_has_a_maker_and_keeps_the_size(noise: Image.Image) -> None:
    assert MAKERS.keys() == set(get_args(Preprocessor))
    for name in get_args(Preprocessor):
        assert made(noise, name).shape == (32, 48, 3)
        assert np.array_equal(made(noise, name), made(noise, name))


def test_lines_of_drawings_become_white_on_black(drawing: Image.Image) -> None:
    for name in ("lineart", "scribble", "invert"):
        lines = made(drawing, name)[..., 0]
        assert lines[15:17].min() > 100, name
        assert lines[:4].max() == 0, name


def test_soft_edges_are_white_where_it_is_steepest(drawing: Image.Image) -> None:
    edges = made(drawing, "softedge")[..., 0]
    assert edges.max() == 255
    assert edges[16:18, 24].max() > 10 * max(1, edges[2, 24])


def test_canny_is_black_and_white(noise: Image.Image) -> None:
    assert set(np.unique(made(noise, "canny"))) == {0, 255}


def test_a_map_of_depth_is_stretched() -> None:
    ramp = Image.fromarray(np.tile(np.arange(100, 148, dtype=np.uint8), (8, 1))).convert("RGB")
    near = made(ramp, "depth")[0, :, 0]
    assert (near[0], near[-1]) == (0, 255)
    assert np.all(np.diff(near) > 0)
    assert made(Image.new("RGB", (8, 8), (7, 7, 7)), "depth").max() == 0


def test_a_grid_has_one_colour_for_every_square(noise: Image.Image) -> None:
    squares = made(noise, "grid", 16.0)
    mean = np.asarray(noise)[:16, :16].astype(float).mean((0, 1))
    assert np.abs(squares[:16, :16] - mean).max() <= 1
    assert len(np.unique(squares.reshape(-1, 3), axis=0)) == 6


def test_tile_and_threshold_and_grey(noise: Image.Image) -> None:
    assert np.array_equal(made(noise, "tile"), np.asarray(noise))
    assert made(noise, "tile", 4.0).std() < np.asarray(noise).std() / 2
    grey = np.asarray(noise.convert("L"))
    assert np.array_equal(made(noise, "threshold", 100.0)[..., 0], 255 * (grey > 100))
    assert np.array_equal(made(noise, "grey")[..., 2], grey)


def test_blur_keeps_the_mean_and_is_a_bell(noise: Image.Image) -> None:
    flat = pixels_of([Image.new("RGB", (16, 16), (9, 9, 9))])[0]
    assert (blurred(flat, 3.0) - flat).abs().max() < 1e-5
    near = np.asarray(noise.filter(ImageFilter.GaussianBlur(2))).astype(float)
    assert np.abs(made(noise, "blur", 2.0)[8:-8, 8:-8] - near[8:-8, 8:-8]).mean() < 3


@pytest.mark.parametrize("how", get_args(Resize))
def test_ways_to_the_size_that_is_painted(noise: Image.Image, how: Resize) -> None:
    found = np.asarray(brought(noise, (32, 32), how))
    assert found.shape == (32, 32, 3)
    assert (found[:4].max() == 0) == (how == "pad")
    assert brought(noise, noise.size, how) is noise
