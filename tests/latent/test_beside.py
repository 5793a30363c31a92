from dataclasses import replace

import pytest
import torch

from inkwash.latent.autoencoder import Autoencoder
from inkwash.latent.beside import depth_beside, hole_beside, kind_beside, picture_beside, small_beside
from inkwash.latent.pixelspace import PixelSpace
from inkwash.latent.spec import TINY
from inkwash.rng import NoiseSource


@pytest.fixture(scope="module")
def space() -> Autoencoder:
    torch.manual_seed(0)
    return Autoencoder(replace(TINY, latent_std=(2.0,), latent_mean=(0.5,))).requires_grad_(False)


def pixels() -> torch.Tensor:
    return torch.rand(1, 3, 16, 24, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.mark.parametrize(
    ("channels", "latents", "kind"),
    [(4, 4, "nothing"), (9, 4, "hole"), (8, 4, "picture"), (5, 4, "depth"), (8, 8, "nothing"), (16, 16, "nothing"),
     (33, 16, "hole"), (7, 4, "small"), (6, 4, None), (3, 4, None)],
)  # fmt: skip
def test_channels_tell_what_a_network_wants(channels: int, latents: int, kind: str | None) -> None:
    assert kind_beside(channels, latents) == kind


def test_a_hole_is_shown_as_mask_and_grey(space: Autoencoder) -> None:
    hole = torch.zeros(1, 1, 16, 24)
    hole[..., 8:16, 3:] = 0.7
    found = hole_beside(space.encode, pixels(), hole)
    factor = space.spec.factor
    assert found.shape == (1, 1 + space.spec.latent_channels, 16 // factor, 24 // factor)
    assert torch.equal(found[:, :1], (hole[..., ::factor, ::factor] > 0.5).float())
    grey = pixels().clone()
    grey[..., 8:16, 3:] = 0
    torch.testing.assert_close(found[:, 1:], space.encode(grey))


def test_with_noise_latents_are_a_draw(space: Autoencoder) -> None:
    hole = torch.zeros(1, 1, 16, 24)
    found = hole_beside(lambda seen: space.encode(seen, NoiseSource.seeded([3])), pixels(), hole)
    torch.testing.assert_close(found[:, 1:], space.encode(pixels(), NoiseSource.seeded([3])))


def test_one_mask_serves_several_pictures() -> None:
    found = hole_beside(PixelSpace().encode, pixels().repeat(2, 1, 1, 1), torch.ones(1, 1, 16, 24))
    assert found.shape == (2, 4, 16, 24)
    assert (found[:, 1:] == 0).all()


def test_a_picture_is_shown_in_the_encoders_own_units(space: Autoencoder) -> None:
    own = Autoencoder(replace(space.spec, latent_std=(1.0,), latent_mean=(0.0,))).requires_grad_(False)
    own.load_state_dict(space.state_dict())
    torch.testing.assert_close(picture_beside(space, space.encode(pixels())), own.encode(pixels()))
    assert torch.equal(picture_beside(PixelSpace(), pixels()), pixels())


def test_depth_runs_from_far_to_near_in_every_picture() -> None:
    slope = torch.arange(32.0).expand(1, 1, 32, 32)
    found = depth_beside(torch.cat([slope, 100 - 7 * slope]), (8, 4))
    assert found.shape == (2, 1, 8, 4)
    torch.testing.assert_close(found.amin((1, 2, 3)), torch.tensor([-1.0, -1.0]))
    torch.testing.assert_close(found.amax((1, 2, 3)), torch.tensor([1.0, 1.0]))
    torch.testing.assert_close(found[0], -found[1], atol=1e-5, rtol=1e-5)
    assert (depth_beside(torch.full((1, 1, 9, 9), 3.0), (4, 4)) == 0).all()


def test_a_small_picture_is_shown_with_noise_of_a_level() -> None:
    small, noise = torch.full((1, 3, 4, 4), 0.5), torch.ones(2, 3, 4, 4)
    torch.testing.assert_close(small_beside(small, noise, torch.tensor(0.0)), small.expand(2, -1, -1, -1))
    found = small_beside(small, noise, torch.tensor(0.75))
    torch.testing.assert_close(found, torch.full((2, 3, 4, 4), 0.8 * 0.5 + 0.6))
