"""What is computed once: latents and words."""

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

from inkwash.training.cache import WordBank, digest, latent_cache, word_cache
from inkwash.training.data import Pictures
from inkwash.training.parts import Parts
from inkwash.types import Latents, Pixels, TextStates


class Dim:
    """Halves the light, and is unsure by a tenth."""

    def moments(self, pixels: Pixels) -> tuple[Latents, Latents]:
        return pixels / 2, torch.full_like(pixels, 0.01).log()

    def decode(self, latents: Latents) -> Pixels:
        return latents * 2


def test_both_sides_of_every_picture_are_kept(tmp_path: Path, pictures: Pictures) -> None:
    pictures.pixels[0, :, :, :4] = 0
    kept = load_file(latent_cache(Dim(), "dim", pictures, tmp_path))
    clean = pictures.pixels.float() / 127.5 - 1
    torch.testing.assert_close(kept["mean"][:, 0].float(), clean / 2, atol=1e-3, rtol=0)
    torch.testing.assert_close(kept["mean"][:, 1], kept["mean"][:, 0].flip(-1))
    torch.testing.assert_close(kept["spread"].float(), torch.full_like(kept["spread"].float(), 0.1), atol=1e-4, rtol=0)


def test_other_weights_other_pictures_other_file(tmp_path: Path, pictures: Pictures, parts: Parts) -> None:
    first = latent_cache(parts.space, "one", pictures, tmp_path)
    assert latent_cache(parts.space, "one", pictures, tmp_path) == first
    assert latent_cache(parts.space, "two", pictures, tmp_path) != first
    pictures.pixels[0] += 1
    assert latent_cache(parts.space, "one", pictures, tmp_path) != first


def test_words_come_back_as_they_went_in(tmp_path: Path, parts: Parts) -> None:
    captions = [("a red", "red"), ("a blue square",), ("a red",)]
    bank = WordBank.open(word_cache(parts.words, "letters", captions, tmp_path))
    assert [bank.choices(picture).tolist() for picture in range(3)] == [[1, 2], [3], [1]]
    found, wanted = bank.states([0, 3, 1]), parts.words(["", "a blue square", "a red"])
    assert wanted.keep is not None
    assert found.keep is not None
    assert torch.equal(found.keep, wanted.keep)
    torch.testing.assert_close(found.states, wanted.states * wanted.keep[..., None], atol=1e-3, rtol=1e-3)


def test_a_caption_that_many_pictures_share_is_encoded_once(tmp_path: Path) -> None:
    asked: list[str] = []

    def listening(prompts: Sequence[str]) -> TextStates:
        asked.extend(prompts)
        return TextStates(torch.ones(len(prompts), 2, 3), pooled=torch.ones(len(prompts), 5))

    bank = WordBank.open(word_cache(listening, "ones", [("x",), ("x",), ("y",)], tmp_path))
    assert asked == ["", "x", "y"]
    states = bank.states([2])
    assert states.keep is None
    assert states.states.shape == (1, 2, 3)
    assert states.pooled is not None
    assert states.pooled.shape == (1, 5)


def test_the_digest_follows_the_weights() -> None:
    layer = nn.Linear(3, 3)
    before = digest(layer)
    assert digest(layer) == before
    layer.weight.data[0, 0] += 1
    assert digest(layer) != before
