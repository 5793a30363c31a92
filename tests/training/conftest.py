"""Toy materials: coloured squares with captions, seen through the identity, told by words of chance."""

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from zlib import crc32

import pytest
import torch

from inkwash.predictor.spec import Stage, UNetSpec
from inkwash.training.cache import Shelf
from inkwash.training.config import OptimizerConfig, TrainConfig
from inkwash.training.course import Course
from inkwash.training.data import Pictures
from inkwash.training.parts import Parts
from inkwash.training.predictor_course import PredictorCourse, predictor_course
from inkwash.training.run import Habits, prepare, run
from inkwash.types import Latents, Pixels, TextStates

SPEC = UNetSpec((Stage(32, 1),), 8, 3, 3, blocks=1, head_width=32, dropout=0.1)
COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}


class Bare:
    """Pixels are latents."""

    def moments(self, pixels: Pixels) -> tuple[Latents, Latents]:
        return pixels, torch.full_like(pixels, -30.0)

    def decode(self, latents: Latents) -> Pixels:
        return latents


def words(prompts: Sequence[str]) -> TextStates:
    """Every word has a vector by its letters; shorter prompts are padded."""
    states, keep = torch.zeros(len(prompts), 4, 8), torch.zeros(len(prompts), 4, dtype=torch.bool)
    for row, prompt in enumerate(prompts):
        for column, word in enumerate(["<begin>", *prompt.split()][:4]):
            chance = torch.Generator().manual_seed(crc32(word.encode()))
            states[row, column] = torch.randn(8, generator=chance)
            keep[row, column] = True
    return TextStates(states, keep=keep)


def toy_config(images: int = 96) -> TrainConfig:
    return TrainConfig(
        name="toy",
        predictor=SPEC,
        size=8,
        images=images,
        batch=8,
        optimizer=OptimizerConfig(rate=1e-3, warm_up=16),
        held_out=6,
        precision="float32",
        validate_every=32,
        snapshots=2,
        averages=(0.05,),
    )


def toy_pictures(count: int = 24) -> Pictures:
    names = [list(COLOURS)[index % 3] for index in range(count)]
    shade = torch.linspace(0.5, 1, count)
    pixels = torch.stack([torch.tensor(COLOURS[name]) for name in names]) * shade[:, None]
    tiles = pixels.to(torch.uint8)[:, :, None, None].expand(count, 3, 8, 8).contiguous()
    return Pictures(tiles, tuple(f"{index:06d}" for index in range(count)), tuple((f"a {name}",) for name in names))


def toy_parts() -> Parts:
    return Parts(Bare(), words, "bare", "letters")


def toy_course(cache: Path, config: TrainConfig) -> PredictorCourse:
    return predictor_course(config, toy_pictures(), toy_parts(), cache, lambda line: None)


@pytest.fixture
def config() -> TrainConfig:
    return toy_config()


@pytest.fixture
def course(tmp_path: Path, config: TrainConfig) -> PredictorCourse:
    return toy_course(tmp_path / "cache", config)


@pytest.fixture
def shelf(course: PredictorCourse) -> Shelf:
    return course.shelf


@pytest.fixture
def torn(tmp_path: Path) -> Callable[[Course], tuple[Path, Path]]:
    """Teaches a course in one go, and once more, killed again and again; returns the folders of both."""

    def taught(course: Course) -> tuple[Path, Path]:
        whole, parts = tmp_path / "whole", tmp_path / "parts"
        list(run(prepare(course, whole), whole, Habits()))
        for steps in (1, 3, 2):
            walk = run(prepare(course, parts), parts, Habits(save_minutes=0.0))
            list(islice(walk, steps))
            walk.close()
        list(run(prepare(course, parts), parts, Habits()))
        return whole, parts

    return taught


@pytest.fixture
def pictures() -> Pictures:
    return toy_pictures()


@pytest.fixture
def parts() -> Parts:
    return toy_parts()
