"""From a recipe and paths to a course: read the pictures, bring or teach the parts, fill the caches."""

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import UInt8
from torch import Tensor

from inkwash.errors import InvalidRequest
from inkwash.latent.autoencoder import Autoencoder
from inkwash.latent.pixelspace import PixelSpace
from inkwash.nn.imagenet import SEEN, classifier, enlarged
from inkwash.text.conditioning import Conditioner
from inkwash.training.autoencoder_course import autoencoder_course
from inkwash.training.config import AutoencoderConfig
from inkwash.training.course import Course
from inkwash.training.critic_config import CriticConfig
from inkwash.training.critic_course import critic_course
from inkwash.training.data import Pictures, Warn, read_pictures
from inkwash.training.emoji import emoji_pictures
from inkwash.training.parts import parts_of
from inkwash.training.predictor_course import predictor_course
from inkwash.training.recipes import Recipe
from inkwash.training.text import TextLesson, picture_features, save_text
from inkwash.weights.parts import read_autoencoder, read_text

TEXT_SIZE = 128  # of the pictures that the text encoder is taught with, where no config says


@dataclass(frozen=True, kw_only=True)
class Pantry:
    """Where things lie."""

    out: Path
    cache: Path
    data: Path | None = None
    captions: Path | None = None
    autoencoder: Path | None = None
    text: Path | None = None
    start: Path | None = None


def pictures_of(recipe: Recipe, pantry: Pantry, say: Warn) -> Pictures:
    """Raises InvalidRequest if the recipe needs a path that is not given, DataError if there is nothing there."""
    size = recipe.config.size if recipe.config else TEXT_SIZE
    if pantry.data is None and recipe.data == "emoji":
        return emoji_pictures(size)
    if pantry.data is None:
        raise InvalidRequest("data", None, "a folder of pictures, or of WebDataset tars")
    return read_pictures(pantry.data, size, pantry.captions, say)


def course_of(recipe: Recipe, pantry: Pantry, say: Warn) -> Course | None:
    """Everything ready to learn; None if the recipe was for the text encoder alone, which is then taught.

    Raises InvalidRequest, DataError or WeightsError for what is missing or does not fit.
    """
    if recipe.config is None:
        taught_text(recipe, pictures_of(recipe, pantry, say), pantry.out, pantry.cache, say)
        return None
    if isinstance(recipe.config, CriticConfig):
        start = autoencoder_of(pantry)
        return critic_course(recipe.config, start, pictures_of(recipe, pantry, say), pantry.cache)
    if isinstance(recipe.config, AutoencoderConfig):
        return autoencoder_course(recipe.config, pictures_of(recipe, pantry, say), pantry.cache)
    space = space_of(recipe, pantry)
    pictures = pictures_of(recipe, pantry, say)
    words = read_text(pantry.text or taught_text(recipe, pictures, pantry.out / "text", pantry.cache, say))
    return predictor_course(recipe.config, pictures, parts_of(space, words), pantry.cache, say, pantry.start)


def space_of(recipe: Recipe, pantry: Pantry) -> Autoencoder | PixelSpace:
    """The space that the predictor lives in."""
    if recipe.space == "pixels":
        return PixelSpace()
    return read_autoencoder(autoencoder_of(pantry))


def autoencoder_of(pantry: Pantry) -> Path:
    """Its file.  Raises InvalidRequest if none is given."""
    if pantry.autoencoder is None:
        raise InvalidRequest("autoencoder", None, "the file that `inkwash train pets_autoencoder` wrote")
    return pantry.autoencoder


def taught_text(recipe: Recipe, pictures: Pictures, folder: Path, cache: Path, say: Warn) -> Path:
    """The folder of a text encoder, taught first if it is not there."""
    if (folder / "spec.json").is_file():
        return folder
    say(f"teaching a text encoder {recipe.text.steps} steps")
    folder.mkdir(parents=True, exist_ok=True)
    cache.mkdir(parents=True, exist_ok=True)
    features = picture_features(large_enough(pictures.pixels), classifier("lite0"), cache)
    lesson = TextLesson.prepare(features, pictures.captions, recipe.text)
    for progress in lesson.run():
        if (progress.step + 1) % 50 == 0:
            say(f"text encoder: step {progress.step + 1}, loss {progress.loss:.3f}")
    save_text(folder, lesson.tokenizer, Conditioner(lesson.tokenizer, lesson.clip.text).encoder)
    return folder


def large_enough(pixels: UInt8[Tensor, "n 3 h w"]) -> UInt8[Tensor, "n 3 h2 w2"]:
    """Small pictures enlarged until the ImageNet network can see them."""
    if pixels.shape[-1] >= SEEN:
        return pixels
    return torch.cat([enlarged(part.float()).round().to(torch.uint8) for part in pixels.split(256)])
