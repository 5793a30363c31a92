"""A photograph dissolving: its numbers against closed forms, its pictures against the photograph."""

from collections.abc import Callable
from math import inf, log10

import pytest
import torch
from PIL import Image
from torch import Tensor

from inkwash.denoiser import scalings
from inkwash.forward.schedule import DiscreteSchedule, FlowSchedule
from inkwash.latent.autoencoder import Autoencoder
from inkwash.latent.pixelspace import PixelSpace
from inkwash.latent.spec import TINY
from inkwash.pictures.picture import images_of
from inkwash.show.forward import decibels, dissolve, enlarged, film_frames, strip

SIDE = 32


class Watched(PixelSpace):
    """Pixel space that remembers what it was asked to show."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[Tensor] = []

    def decode(self, latents: Tensor) -> Tensor:
        self.shown.append(latents)
        return latents


def photo() -> Tensor:
    """A bright disc on a dark ground."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, SIDE), torch.linspace(-1, 1, SIDE), indexing="ij")
    return (1.6 * (x**2 + y**2 < 0.5).float() - 0.8).expand(1, 3, SIDE, SIDE).clone()


@pytest.mark.parametrize("schedule", [DiscreteSchedule.scaled_linear(), DiscreteSchedule.cosine(), FlowSchedule()])
def test_it_begins_clean_and_only_gets_noisier(schedule: DiscreteSchedule | FlowSchedule) -> None:
    found = dissolve(photo(), {"pixels": PixelSpace()}, schedule, "epsilon", 6, seed=0)
    sigmas = [frame.sigma for frame in found.frames]
    assert len(sigmas) == 6
    assert sigmas[0] == 0
    assert sigmas == sorted(sigmas)
    assert sigmas[-1] == pytest.approx(schedule.sigma_max)
    first = found.frames[0].views["pixels"]
    assert first.decibels == inf
    assert first.picture.tobytes() == images_of(photo())[0].tobytes()


def test_the_last_frame_tells_nothing_of_the_photograph() -> None:
    space = Watched()
    dissolve(photo(), {"pixels": space}, FlowSchedule(), "flow", 4, seed=0)
    both = torch.stack([space.shown[-1].flatten(), photo().flatten()])
    assert abs(torch.corrcoef(both)[0, 1].item()) < 0.06


@pytest.mark.parametrize("target", ["epsilon", "flow"])
def test_every_level_shows_the_same_noise_as_the_network_is_given_it(target: str) -> None:
    space = Watched()
    found = dissolve(photo(), {"pixels": space}, FlowSchedule(), target, 5, seed=3)
    eps = torch.randn(3, SIDE, SIDE, generator=torch.Generator().manual_seed(3))
    for frame, shown in zip(found.frames, space.shown, strict=True):
        sigma = torch.tensor(frame.sigma)
        torch.testing.assert_close(shown, scalings(target, sigma).into * (photo() + sigma * eps))


def test_signal_to_noise_is_variance_over_sigma_squared() -> None:
    clean = photo()
    assert decibels(clean, 0.0) == inf
    assert decibels(clean, 2.0) == pytest.approx(10 * log10(clean.var().item() / 4))
    assert decibels(clean, 1.0) - decibels(clean, 10.0) == pytest.approx(20)


def test_every_space_is_shown_at_every_level() -> None:
    torch.manual_seed(0)
    spaces = {"pixels": PixelSpace(), "latents": Autoencoder(TINY).eval()}
    found = dissolve(photo(), spaces, DiscreteSchedule.linear(), "epsilon", 3, seed=0)
    assert dict(found.numbers) == {"pixels": (3, SIDE, SIDE), "latents": (4, SIDE // 4, SIDE // 4)}
    for frame in found.frames:
        assert list(frame.views) == ["pixels", "latents"]
        assert all(view.picture.size == (SIDE, SIDE) for view in frame.views.values())


def test_the_seed_chooses_the_noise() -> None:
    def last(seed: int) -> bytes:
        found = dissolve(photo(), {"pixels": PixelSpace()}, FlowSchedule(), "flow", 2, seed)
        return found.frames[-1].views["pixels"].picture.tobytes()

    assert last(1) == last(1)
    assert last(1) != last(2)


@pytest.mark.parametrize(("side", "least", "wanted"), [(128, 160, 256), (256, 160, 256), (32, 160, 160), (10, 25, 30)])
def test_pixels_stay_squares(side: int, least: int, wanted: int) -> None:
    small = Image.effect_noise((side, side), 80).convert("RGB")
    large = enlarged(small, least)
    assert large.size == (wanted, wanted)
    assert large.resize(small.size, Image.Resampling.NEAREST).tobytes() == small.tobytes()


@pytest.mark.parametrize("draw", [lambda found: strip(found, "a disc"), lambda found: film_frames(found)[1]])
def test_drawings_hold_every_picture(draw: Callable[..., Image.Image]) -> None:
    """Each pixel row of the clean photograph, enlarged, is found again on the paper."""
    spaces = {"pixels": PixelSpace(), "again": PixelSpace()}
    found = dissolve(photo(), spaces, FlowSchedule(), "flow", 3, seed=0)
    paper = draw(found)
    side = enlarged(found.frames[0].views["pixels"].picture, 160).width
    assert paper.width > 2 * side
    assert paper.height > side
    assert len(paper.getcolors(2**24) or []) > 100


def test_moments_are_of_one_size() -> None:
    found = dissolve(photo(), {"pixels": PixelSpace()}, FlowSchedule(), "flow", 5, seed=0)
    moments = film_frames(found)
    assert len(moments) == 5
    assert len({moment.size for moment in moments}) == 1
    assert len({moment.tobytes() for moment in moments}) == 5
