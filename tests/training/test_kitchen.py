"""From a recipe and paths to a course, or to one line that says what is missing."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from inkwash.errors import DataError, InvalidRequest, WeightsError
from inkwash.latent.autoencoder import Autoencoder
from inkwash.latent.spec import TINY
from inkwash.training.autoencoder_course import AutoencoderCourse
from inkwash.training.config import AutoencoderConfig
from inkwash.training.critic_config import CriticConfig
from inkwash.training.critic_course import CriticCourse
from inkwash.training.data import Pictures
from inkwash.training.kitchen import Pantry, course_of, large_enough, taught_text
from inkwash.training.recipes import Recipe, pets_autoencoder, pets_decoder, pets_predictor, pets_text
from inkwash.weights.parts import write_part

SECOND = CriticConfig(name="second", size=32, crop=16, images=8, batch=4)


def quiet(line: str) -> None:
    """Nobody listens."""


@pytest.fixture
def pantry(tmp_path: Path) -> Pantry:
    data = tmp_path / "data"
    data.mkdir()
    for index, colour in enumerate(("red", "green", "blue")):
        Image.new("RGB", (40, 32), colour).save(data / f"{index + 1}.png")
    write_part(tmp_path / "a.safetensors", Autoencoder(TINY).state_dict(), TINY)
    return Pantry(out=tmp_path / "out", cache=tmp_path / "cache", data=data, autoencoder=tmp_path / "a.safetensors")


def test_an_autoencoder_begins_with_the_pictures(pantry: Pantry) -> None:
    config = AutoencoderConfig(name="first", autoencoder=TINY, size=32, crop=16, images=8, batch=4)
    course = course_of(Recipe(config), pantry, quiet)
    assert isinstance(course, AutoencoderCourse)
    assert course.pixels.shape == (3, 3, 32, 32)


def test_a_decoder_goes_on_from_its_file(pantry: Pantry) -> None:
    course = course_of(Recipe(SECOND), pantry, quiet)
    assert isinstance(course, CriticCourse)
    assert course.config.autoencoder == TINY  # as the file says, not as the recipe does
    assert len(course.pictures.learn) == 3


@pytest.mark.parametrize("recipe", [pets_decoder(), pets_predictor()])
def test_who_needs_an_autoencoder_says_where_it_comes_from(pantry: Pantry, recipe: Recipe) -> None:
    with pytest.raises(InvalidRequest, match="autoencoder is None, but must be the file that `inkwash train pets_auto"):
        course_of(recipe, replace(pantry, autoencoder=None), quiet)


@pytest.mark.parametrize("recipe", [pets_autoencoder(), pets_decoder(), pets_text()])
def test_who_needs_pictures_says_so(pantry: Pantry, recipe: Recipe) -> None:
    with pytest.raises(InvalidRequest, match="data is None, but must be a folder of pictures"):
        course_of(recipe, replace(pantry, data=None), quiet)


def test_a_file_that_is_no_autoencoder_is_refused(pantry: Pantry, tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"PK\x03\x04 something else")
    with pytest.raises(WeightsError, match="a zip archive or a pickled checkpoint"):
        course_of(Recipe(SECOND), pantry, quiet)


def test_pictures_too_small_for_the_crops_are_refused(pantry: Pantry) -> None:
    with pytest.raises(DataError, match="crops of 96 pixels do not fit"):
        course_of(Recipe(replace(SECOND, crop=96)), pantry, quiet)


def test_a_text_encoder_is_taught_only_once(tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text("{}")
    said: list[str] = []
    pictures = Pictures(torch.zeros(1, 3, 8, 8, dtype=torch.uint8), ("1",), (("",),))
    assert taught_text(pets_text(), pictures, tmp_path, tmp_path, said.append) == tmp_path
    assert not said


def test_small_pictures_are_enlarged_for_the_eyes() -> None:
    grey = torch.full((3, 3, 32, 32), 77, dtype=torch.uint8)
    assert torch.equal(large_enough(grey), torch.full((3, 3, 64, 64), 77, dtype=torch.uint8))
    large = torch.zeros(1, 3, 80, 80, dtype=torch.uint8)
    assert large_enough(large) is large
