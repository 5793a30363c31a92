import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from inkwash.evaluation.pictures import as_pictures, as_pixels
from inkwash.evaluation.reals import About, Photos
from inkwash.evaluation.reconstruction import psnr, reconstructed, reconstruction_report, ssim
from inkwash.evaluation.views import Eyes
from inkwash.latent.pixelspace import PixelSpace
from inkwash.types import Latents, Pixels


def pictures(count: int, seed: int = 0, side: int = 32) -> torch.Tensor:
    dice = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, side, side), generator=dice, dtype=torch.uint8)


def photos(count: int) -> Photos:
    about = [
        About(str(n), *(("cat", "", "", "a photo of a cat") if n % 2 else ("dog", "pug", "", "a photo of a pug dog")))
        for n in range(count)
    ]
    return Photos(pictures(count), tuple(about))


class Darker:
    """Loses a tenth of the range, and all red if asked to."""

    def encode(self, pixels: Pixels) -> Latents:
        return pixels - 0.2

    def decode(self, latents: Latents) -> Pixels:
        return latents


def brightness_eyes() -> Eyes:
    """Bright pictures are pugs (254), dark ones tabbies (281)."""

    def answers(features: torch.Tensor) -> torch.Tensor:
        logits = torch.zeros(len(features), 1000)
        logits[:, 254] = features[:, 0]
        logits[:, 281] = -features[:, 0]
        return logits

    return Eyes("brightness", lambda pixels: pixels.mean((1, 2, 3))[:, None], answers)


def test_bytes_survive_the_way_to_pixels_and_back() -> None:
    ramp = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16).expand(1, 3, 16, 16)
    assert torch.equal(as_pictures(as_pixels(ramp)), ramp)
    assert as_pictures(torch.tensor([-3.0, 3.0, 0.0]).reshape(1, 3, 1, 1)).flatten().tolist() == [0, 255, 128]


def test_psnr_is_the_closed_form() -> None:
    black = torch.zeros(2, 3, 8, 8, dtype=torch.uint8)
    tenth = torch.full_like(black, 51)
    torch.testing.assert_close(psnr(black, tenth), torch.full((2,), 13.979400))  # -20 log10(0.2)
    assert psnr(black, black).tolist() == [100, 100]


def test_ssim_agrees_with_a_plain_gaussian_filter() -> None:
    a, b = pictures(1, 1), pictures(1, 2)
    x, y = a[0].double().numpy() / 255, b[0].double().numpy() / 255

    def blur(z: np.ndarray) -> np.ndarray:
        return np.stack([gaussian_filter(channel, 1.5, radius=5)[5:-5, 5:-5] for channel in z])

    mx, my = blur(x), blur(y)
    vx, vy, vxy = blur(x * x) - mx**2, blur(y * y) - my**2, blur(x * y) - mx * my
    wanted = (2 * mx * my + 1e-4) * (2 * vxy + 9e-4) / ((mx**2 + my**2 + 1e-4) * (vx + vy + 9e-4))
    assert ssim(a, b).item() == pytest.approx(wanted.mean(), abs=1e-6)
    assert ssim(a, a).item() == pytest.approx(1)


def test_pixel_space_loses_nothing() -> None:
    report = reconstruction_report(PixelSpace(), photos(20), brightness_eyes())
    assert set(report) == {"all", "cat", "dog"}
    assert (report["all"].pictures, report["cat"].pictures) == (20, 10)
    for part in report.values():
        assert (part.psnr, part.top1_kept, part.top5_kept, part.species_kept) == (100, 1, 1, 1)
    assert report["dog"].breed_before == report["dog"].breed_after
    assert report["cat"].breed_before is None


def test_a_darker_copy_changes_answers() -> None:
    report = reconstruction_report(Darker(), photos(40), brightness_eyes())
    assert report["all"].psnr == pytest.approx(20, abs=0.5)
    assert report["all"].species_kept is not None
    assert report["all"].species_kept < 1
    assert report["dog"].breed_after == 0  # all are dark now


def test_reconstructions_are_clipped_and_rounded() -> None:
    white = torch.full((3, 3, 8, 8), 255, dtype=torch.uint8)

    class Brighter(Darker):
        def encode(self, pixels: Pixels) -> Latents:
            return pixels + 1

    assert torch.equal(reconstructed(Brighter(), white), white)
