"""Recipes: functions that return a whole run as a value. Derive a variant with `dataclasses.replace`."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from inkwash.predictor.spec import PETS, TINY
from inkwash.text.encoder import PETS_TEXT
from inkwash.training.config import OptimizerConfig, TrainConfig

PETS_PROMPTS = (
    "a photo of a cat",
    "a photo of an orange cat",
    "a photo of a black cat",
    "a photo of a black and white cat",
    "a photo of a beagle dog",
    "a photo of a pug dog",
    "a photo of a Samoyed dog",
    "a photo of a German shepherd dog",
    "a photo of a Maltese dog",
    "a photo of a chow chow dog",
    "a photo of a Rottweiler dog",
    "a photo of a Pomeranian dog",
    "a photo of a Siberian husky dog",
    "a photo of a gray cat",
    "a photo of a golden retriever dog",
    "a photo of a Bengal cat",
)


def tiny() -> TrainConfig:
    """A network of toy size, to see the machinery turn: seconds, and nothing to look at."""
    return TrainConfig(
        name="tiny",
        predictor=replace(TINY, text_width=PETS_TEXT.width),
        size=32,
        images=2_048,
        batch=16,
        optimizer=OptimizerConfig(rate=1e-3, warm_up=256),
        validate_every=1_024,
        snapshots=4,
        prompts=("a photo of a cat", "a photo of a dog"),
    )


def pets_predictor() -> TrainConfig:
    """Faces of cats and dogs at 128 pixels, in the latents of the pets autoencoder: rectified flow on 16 x 16 x 4."""
    return TrainConfig(
        name="pets_predictor",
        predictor=PETS,
        size=128,
        images=1_500_032,
        batch=64,
        optimizer=OptimizerConfig(rate=5e-4, warm_up=32_000),
        prompts=PETS_PROMPTS,
    )


RECIPES: Mapping[str, Callable[[], TrainConfig]] = MappingProxyType({"tiny": tiny, "pets_predictor": pets_predictor})
