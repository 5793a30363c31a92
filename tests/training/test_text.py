import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from inkwash.nn.imagenet import ImageNet
from inkwash.text.encoder import TextEncoder, TextSpec
from inkwash.text.tokenizer import Tokenizer
from inkwash.training.text import (
    BLANK,
    CaptionTable,
    TextLesson,
    TextRecipe,
    nearest,
    pace,
    picture_features,
    save_text,
)

SPEC = TextSpec(32, 2, 2, tokens=12, vocabulary=600, mask_padding=True)
RECIPE = TextRecipe(spec=SPEC, steps=60, captions=16, pictures=48, rate=3e-3, warmup=5)
COLOURS, SHAPES = ("red", "green", "blue"), ("circle", "square")


def shapes(count: int = 96) -> tuple[torch.Tensor, list[tuple[str, ...]], list[int]]:
    """Features in which colour and shape are directions, with noise."""
    dice = torch.Generator().manual_seed(0)
    axes = torch.randn(5, 24, generator=dice)
    labels = [n % 6 for n in range(count)]
    features = torch.stack([axes[n % 3] + axes[3 + n // 3] for n in labels])
    captions = [(f"a {COLOURS[n % 3]} {SHAPES[n // 3]}", f"a {SHAPES[n // 3]}") for n in labels]
    return features + 0.1 * torch.randn(features.shape, generator=dice), captions, labels


@pytest.fixture(scope="module")
def taught() -> TextLesson:
    features, captions, _ = shapes()
    lesson = TextLesson.prepare(features, captions, RECIPE)
    losses = [progress.loss for progress in lesson.run()]
    assert len(losses) == RECIPE.steps
    assert sum(losses[-10:]) < 0.8 * sum(losses[:10])
    return lesson


def test_captions_find_their_pictures(taught: TextLesson) -> None:
    features, _, labels = shapes()
    prompts = [f"a {COLOURS[n % 3]} {SHAPES[n // 3]}" for n in range(6)]
    right = nearest(taught, prompts, features)[:, 0] == torch.tensor(labels)
    assert right.float().mean().item() > 0.95
    best = nearest(taught, ["a circle", "a square"], features, best=2)
    assert best.shape == (96, 2)
    assert (best[:, 0] == torch.tensor(labels) // 3).float().mean().item() > 0.95


def test_the_empty_caption_finds_all_alike(taught: TextLesson) -> None:
    features, _, _ = shapes()
    with torch.no_grad():
        empty, red = taught.clip.texts(taught.tokenizer.encode(["", "a red circle"]))
        pictures = taught.clip.pictures(features)
    assert (pictures @ empty).std() < 0.5 * (pictures @ red).std()


def test_a_lesson_can_be_repeated_bit_for_bit(taught: TextLesson) -> None:
    features, captions, _ = shapes()
    short = replace(RECIPE, steps=3)
    runs = []
    for noise in (1, 2):
        torch.manual_seed(noise)  # the global stream has no say
        lesson = TextLesson.prepare(features, captions, short)
        runs.append([progress.loss for progress in lesson.run()])
    assert runs[0] == runs[1]


def test_the_spec_follows_from_the_captions(taught: TextLesson) -> None:
    spec = taught.clip.text.spec
    assert spec.vocabulary == len(taught.tokenizer) <= 600
    assert spec.end == taught.tokenizer.end


def test_a_table_names_every_caption_once_and_the_empty_one_first() -> None:
    table = CaptionTable.of([("a", "b"), ("b",), ("c", "a", "b")])
    assert table.texts == ("", "a", "b", "c")
    assert table.of_picture.tolist() == [[1, 2, -1], [2, -1, -1], [3, 1, 2]]


def test_an_empty_caption_in_the_data_is_the_empty_caption() -> None:
    table = CaptionTable.of([("",), ("a",)])
    assert table.texts == ("", "a")
    assert table.of_picture.tolist() == [[BLANK], [1]]


def test_draws_are_even_over_a_pictures_own_captions() -> None:
    table = CaptionTable.of([("a", "b"), ("b",), ("c", "a", "b")])
    dice = torch.Generator().manual_seed(0)
    drawn = torch.stack([table.draw(torch.tensor([0, 1, 2]), dice) for _ in range(3000)])
    assert set(drawn[:, 1].tolist()) == {2}
    assert drawn[:, 0].eq(1).float().mean().item() == pytest.approx(1 / 2, abs=0.04)
    assert drawn[:, 2].eq(3).float().mean().item() == pytest.approx(1 / 3, abs=0.04)


def test_a_caption_fits_every_picture_that_has_it_and_the_empty_one_all() -> None:
    table = CaptionTable.of([("a", "b"), ("b",), ("c", "a", "b")])
    fits = table.fits(torch.tensor([BLANK, 1, 2, 3]), torch.tensor([0, 1, 2]))
    assert fits.tolist() == [[True] * 3, [True, False, True], [True] * 3, [False, False, True]]


def test_the_rate_rises_and_falls() -> None:
    assert [pace(step, 100, 10) for step in (0, 9, 10)] == [0.1, 1.0, 1.0]
    assert pace(55, 100, 10) == pytest.approx(0.5)
    assert 0 < pace(99, 100, 10) < 0.01


def eyes() -> tuple[ImageNet, list[int]]:
    asked: list[int] = []

    class Body(torch.nn.Module):
        def extract_features(self, pixels: torch.Tensor) -> torch.Tensor:
            asked.append(len(pixels))
            return pixels.repeat(1, 427, 1, 1)[:, :1280]

    return ImageNet(Body(), 224), asked


def test_features_are_computed_once_for_the_same_pictures(tmp_path: Path) -> None:
    network, asked = eyes()
    pictures = torch.randint(0, 256, (70, 3, 8, 8), dtype=torch.uint8)
    first = picture_features(pictures, network, tmp_path)
    again = picture_features(pictures, network, tmp_path)
    assert torch.equal(first, again)
    assert asked == [64, 6]
    torch.testing.assert_close(first[:, 0], pictures[:, 0].float().mean((1, 2)) / 127.5 - 1)
    picture_features(pictures.flip(0), network, tmp_path)
    assert asked == [64, 6, 64, 6]
    assert torch.equal(picture_features(pictures, network), first)


def test_what_was_learnt_can_be_read_back(tmp_path: Path, taught: TextLesson) -> None:
    save_text(tmp_path, taught.tokenizer, taught.clip.text)
    spec = TextSpec(**json.loads((tmp_path / "spec.json").read_text()))
    encoder, tokenizer = TextEncoder(spec), Tokenizer.load(tmp_path / "tokenizer.json")
    encoder.load_state_dict(load_file(tmp_path / "text.safetensors"))
    tokens = tokenizer.encode(["a red circle"])
    with torch.no_grad():
        assert torch.equal(encoder(tokens).states, taught.clip.text(tokens).states)
