"""What a predictor is trained with, under names that change with the weights."""

import hashlib
from dataclasses import dataclass

from torch import nn

from inkwash.latent.autoencoder import Autoencoder
from inkwash.latent.pixelspace import PixelSpace
from inkwash.text.conditioning import Conditioner
from inkwash.training.cache import LatentSpace, Words, digest


@dataclass(frozen=True)
class Parts:
    """The space of the latents and the words; the keys name what the caches hold."""

    space: LatentSpace
    words: Words
    space_key: str
    words_key: str


def parts_of(space: Autoencoder | PixelSpace, words: Conditioner) -> Parts:
    """Name the parts by their weights; the decoder has no say in the latents."""
    encoder = nn.ModuleList([part for name, part in space.named_children() if name in ("encoder", "quant_conv")])
    vocabulary = repr(words.tokenizer.encode(["the quick brown fox, 1 2 3"]).tolist())
    return Parts(
        space,
        words,
        _short(repr(space.spec) + digest(encoder)),
        _short(repr(words.encoder.spec) + digest(words.encoder) + vocabulary),
    )


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
