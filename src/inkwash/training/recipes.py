"""Recipes: functions that return a whole training as a value. Derive a variant with `dataclasses.replace`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

from inkwash.latent.spec import PETS as PETS_LATENTS
from inkwash.predictor.spec import PETS, TINY, Stage, UNetSpec
from inkwash.text.encoder import PETS_TEXT
from inkwash.training.autoencoder import ReconstructionWeights
from inkwash.training.config import AutoencoderConfig, OptimizerConfig, TrainConfig
from inkwash.training.critic_config import CriticConfig
from inkwash.training.text import TextRecipe


@dataclass(frozen=True)
class Recipe:
    """What to train, and what with."""

    config: TrainConfig | AutoencoderConfig | None = None
    """None trains nothing but the text encoder."""
    text: TextRecipe = field(default_factory=TextRecipe)
    """How a text encoder is taught if none is given."""
    space: Literal["latents", "pixels"] = "latents"
    """`latents` need an autoencoder's file."""
    data: Literal["given", "emoji"] = "given"


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
EMOJI_PROMPTS = (
    "red heart",
    "grinning face",
    "cat face",
    "dog face",
    "pizza",
    "green apple",
    "sunflower",
    "snowman",
    "红心",
    "嘿嘿",
    "猫脸",
    "狗脸",
    "披萨",
    "青苹果",
    "向日葵",
    "blue heart",
)


def tiny() -> Recipe:
    """A network of toy size on pixels, to see the machinery turn: nothing to look at."""
    config = TrainConfig(
        name="tiny",
        predictor=replace(TINY, text_width=64, channels_in=3, channels_out=3),
        size=16,
        images=2_048,
        batch=16,
        optimizer=OptimizerConfig(rate=1e-3, warm_up=256),
        validate_every=1_024,
        snapshots=4,
        prompts=("a photo of a cat", "a photo of a dog"),
    )
    text = TextRecipe(replace(PETS_TEXT, width=64, layers=1, heads=1), steps=20, captions=32, pictures=128)
    return Recipe(config, text, "pixels")


def pets_autoencoder() -> Recipe:
    """128 pixels to 16 x 16 latents and back, taught on crops of 64 pixels."""
    config = AutoencoderConfig(
        name="pets_autoencoder",
        autoencoder=PETS_LATENTS,
        size=128,
        images=96_000,
        batch=16,
        optimizer=OptimizerConfig(kind="muon", rate=1e-3, weight_decay=1e-4, warm_up=4_800, decay_from=0.2, clip=1.0),
        validate_every=8_000,
        snapshots=0,
    )
    return Recipe(config)


def pets_decoder() -> Recipe:
    """Sharper pictures from the same latents, that are taken for what they show: the decoder learns on against a critic
    and a classifier, the predictor need not."""
    config = CriticConfig(
        name="pets_decoder",
        size=128,
        images=1_600,
        batch=8,
        crop=128,
        adversarial=0.05,
        alone=160,
        rise=640,
        likeness=ReconstructionWeights(perceptual=0.5, blocks=(2, 4, 10, 14), answers=1.0),
        optimizer=OptimizerConfig(
            rate=2e-4, betas=(0.5, 0.9), weight_decay=1e-4, warm_up=160, decay_from=0.5, clip=1.0
        ),
        validate_every=800,
        snapshots=0,
    )
    return Recipe(config)


def pets_text() -> Recipe:
    """A small CLIP against a frozen ImageNet network: minutes, so it has no checkpoints."""
    return Recipe(None)


def pets_predictor() -> Recipe:
    """Faces of cats and dogs at 128 pixels, by rectified flow in the latents of the pets autoencoder."""
    config = TrainConfig(
        name="pets_predictor",
        predictor=PETS,
        size=128,
        images=1_500_032,
        batch=128,
        alignment=0.5,
        balance=0.5,
        optimizer=OptimizerConfig(kind="muon", rate=1e-3, warm_up=12_800, decay_from=0.5),
        prompts=PETS_PROMPTS,
    )
    return Recipe(config)


def emoji() -> Recipe:
    """Emoji at 32 pixels from words in English and Chinese, on pixels themselves: no downloads beyond PyPI."""
    config = TrainConfig(
        name="emoji",
        predictor=UNetSpec(
            (Stage(32), Stage(64, 1), Stage(128, 1)),
            text_width=128,
            channels_in=3,
            channels_out=3,
            blocks=1,
            head_width=32,
            linear_projection=True,
            scale_shift=True,
            pooled_width=128,
        ),
        size=32,
        images=51_200,
        batch=32,
        optimizer=OptimizerConfig(kind="muon", rate=8e-4, warm_up=3_200),
        flips=False,
        snapshots=4,
        prompts=EMOJI_PROMPTS,
    )
    text = TextRecipe(replace(PETS_TEXT, width=128, layers=2, heads=2, tokens=24, vocabulary=4096))
    return Recipe(config, text, "pixels", "emoji")


RECIPES: Mapping[str, Callable[[], Recipe]] = MappingProxyType(
    {
        "emoji": emoji,
        "pets_autoencoder": pets_autoencoder,
        "pets_decoder": pets_decoder,
        "pets_text": pets_text,
        "pets_predictor": pets_predictor,
        "tiny": tiny,
    }
)
