"""The course of an autoencoder."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from inkwash.device import compute
from inkwash.errors import DataError
from inkwash.latent.autoencoder import Autoencoder
from inkwash.latent.spec import TINY
from inkwash.training.autoencoder_course import AutoencoderCourse, autoencoder_course
from inkwash.training.config import AutoencoderConfig, OptimizerConfig
from inkwash.training.data import Pictures
from inkwash.training.loop import train
from inkwash.training.state import TrainState
from inkwash.training.workers import Team
from inkwash.weights.parts import read_autoencoder


@pytest.fixture
def config() -> AutoencoderConfig:  # type: ignore[override]
    return AutoencoderConfig(
        name="toy",
        autoencoder=TINY,
        images=16,
        batch=4,
        size=72,
        crop=64,
        held_out=3,
        optimizer=OptimizerConfig(rate=3e-3, warm_up=0),
    )


@pytest.fixture
def course(tmp_path: Path, config: AutoencoderConfig) -> AutoencoderCourse:
    ramp = torch.arange(72, dtype=torch.uint8)
    pixels = torch.stack([torch.stack([ramp.expand(72, 72), ramp.expand(72, 72).T, ramp.expand(72, 72)])] * 6)
    pictures = Pictures(pixels.contiguous(), tuple("abcdef"), (("",),) * 6)
    return autoencoder_course(config, pictures, tmp_path)


def test_crops_are_windows_of_the_picture_some_of_them_mirrored(course: AutoencoderCourse) -> None:
    crops = course.crops(range(40), halved=False)
    levels = ((crops.pixels + 1) * 127.5).round()
    down = levels[:, 1, 1:, :] - levels[:, 1, :-1, :]
    right = levels[:, 0, :, 1:] - levels[:, 0, :, :-1]
    assert (down == 1).all()
    mirrored = (right == -1).flatten(1).all(dim=1)
    assert ((right == 1).flatten(1).all(dim=1) | mirrored).all()
    assert 8 < mirrored.sum() < 32
    assert len(levels[:, 1, 0, 0].unique()) > 4
    assert crops.eps.shape == (40, 4, 16, 16)


def test_workers_share_the_crops_that_one_would_see(course: AutoencoderCourse) -> None:
    whole = next(course.lessons(4, Team()))
    shares = [next(course.lessons(4, Team(rank, 2))) for rank in range(2)]
    assert torch.equal(torch.cat([part.pixels for share in shares for part in share]), whole[0].pixels)
    assert [parts[0].halved for parts in course.lessons(0, Team())] == [True, False, False, False]


def test_a_few_steps_bring_the_picture_nearer(course: AutoencoderCourse) -> None:
    torch.manual_seed(0)
    state = TrainState.fresh(course.config, course.network())
    before = course.examine(state.model, compute("cpu"))
    losses = [progress.loss for progress in train(state, course.lessons(0, Team()), course.objective())]
    after = course.examine(state.model, compute("cpu"))
    assert len(losses) == 4
    assert losses[-1] < losses[0]
    assert before is not None
    assert after is not None
    assert after["psnr"] > before["psnr"]


def test_what_is_exported_has_latents_of_unit_variance(course: AutoencoderCourse, tmp_path: Path) -> None:
    network = Autoencoder(TINY)
    course.export(network, network.state_dict(), 16, tmp_path)
    again = read_autoencoder(tmp_path / "autoencoder.safetensors")
    mean, logvar = again.moments(course.some(course.learn))
    variance = mean.var(dim=(0, 2, 3)) + logvar.exp().mean(dim=(0, 2, 3))
    torch.testing.assert_close(variance, torch.ones(4), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(mean.mean(dim=(0, 2, 3)), torch.zeros(4), atol=1e-3, rtol=0)


def test_the_sheet_shows_pictures_above_their_likeness(course: AutoencoderCourse) -> None:
    sheet = course.paint(Autoencoder(TINY))
    assert sheet is not None
    assert torch.equal(sheet[:2], course.some(course.held))


def test_crops_must_fit(course: AutoencoderCourse, config: AutoencoderConfig, tmp_path: Path) -> None:
    pictures = Pictures(course.pixels[:, :, :32, :32].contiguous(), tuple("abcdef"), (("",),) * 6)
    with pytest.raises(DataError, match="crops of 64 pixels do not fit"):
        autoencoder_course(replace(config, size=32), pictures, tmp_path)
