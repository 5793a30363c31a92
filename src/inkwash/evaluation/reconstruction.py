"""What an autoencoder loses: decibels, structure, and answers of a classifier that change."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import conv2d

from inkwash.evaluation.labels import BREEDS, Share, rank, says_cat, share
from inkwash.evaluation.pictures import Pictures, as_pictures, as_pixels, chunks
from inkwash.evaluation.reals import About, Photos
from inkwash.evaluation.views import Eyes, Told, Views, look, silent
from inkwash.types import Latents, Pixels


@runtime_checkable
class Rebuilds(Protocol):
    """An autoencoder, as far as it is measured here."""

    def encode(self, pixels: Pixels) -> Latents: ...  # noqa: D102
    def decode(self, latents: Latents) -> Pixels: ...  # noqa: D102


@dataclass(frozen=True)
class Fidelity:
    """Originals against reconstructions: means over `pictures`.

    `psnr` in dB of pictures in [0, 1], 100 for equals; `ssim` 1 for equals. `top1_kept`: the classifier's first of
    1,000 answers stays; `top5_kept`: it stays among the first five; `species_kept`: cat stays cat and dog dog.
    `breed_before` and `breed_after`: the true breed is the first answer, of dogs that ImageNet has a class for.
    """

    pictures: int
    psnr: float
    ssim: float
    top1_kept: Share
    top5_kept: Share
    species_kept: Share
    breed_before: Share
    breed_after: Share


def reconstruction_report(
    autoencoder: Rebuilds, photos: Photos, eyes: Eyes | None = None, seen: Views | None = None, told: Told = silent
) -> Mapping[str, Fidelity]:
    """Encode and decode photographs: Fidelity of "all", "cat" and "dog".

    `eyes` are Lite2 unless given; `seen` is what they saw in the originals, if it is known already.
    """
    eyes = eyes or Eyes.lite2()
    rebuilt = reconstructed(autoencoder, photos.pictures, told)
    return compared(photos, rebuilt, seen or look(eyes, photos.pictures, told), look(eyes, rebuilt, told))


def compared(photos: Photos, rebuilt: Pictures, before: Views, after: Views) -> Mapping[str, Fidelity]:
    """Fidelity of "all", "cat" and "dog" from pictures and what the classifier saw in them."""
    report = {}
    for name in ("all", "cat", "dog"):
        rows = photos.rows(lambda about, name=name: name in ("all", about.species))  # type: ignore[misc]
        if rows:
            part = photos[rows]
            report[name] = _fidelity(part.pictures, rebuilt[rows], part.about, before[rows], after[rows])
    return report


@torch.inference_mode()
def reconstructed(autoencoder: Rebuilds, pictures: Pictures, told: Told = silent, batch: int = 16) -> Pictures:
    """Through the latent space and back, without noise."""
    parts = []
    for part in chunks(len(pictures), batch):
        parts.append(as_pictures(autoencoder.decode(autoencoder.encode(as_pixels(pictures[part])))))
        told("rebuilding", part.stop, len(pictures))
    return torch.cat(parts)


def psnr(a: Pictures, b: Pictures) -> Float[Tensor, " n"]:
    """Peak signal-to-noise ratio of every picture in dB: -10 log10 of the mean squared error in [0, 1], at most 100."""
    error = ((a.float() - b.float()) / 255).square().mean((1, 2, 3))
    return -10 * error.clamp(min=1e-10).log10()


def ssim(a: Pictures, b: Pictures) -> Float[Tensor, " n"]:
    """Structural similarity of every picture, mean over channels and whole windows.  (Wang et al. 2004, eq. 13)

    Gaussian window of 11 with a deviation of 1.5; pictures must be at least 11 pixels wide and high.
    """
    x, y = a.double() / 255, b.double() / 255
    mx, my = _blur(x), _blur(y)
    vx, vy, vxy = _blur(x * x) - mx**2, _blur(y * y) - my**2, _blur(x * y) - mx * my
    c1, c2 = 0.01**2, 0.03**2
    value = (2 * mx * my + c1) * (2 * vxy + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
    return value.mean((1, 2, 3)).float()


def _blur(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c _h _w"]:
    bell = torch.exp(-((torch.arange(11, dtype=x.dtype) - 5) ** 2) / (2 * 1.5**2))
    bell = (bell / bell.sum()).expand(x.shape[1], 1, 1, 11)
    return conv2d(conv2d(x, bell, groups=x.shape[1]), bell.transpose(2, 3), groups=x.shape[1])


def _fidelity(a: Pictures, b: Pictures, about: tuple[About, ...], before: Views, after: Views) -> Fidelity:
    known = [row for row, one in enumerate(about) if one.breed in BREEDS]
    truth = torch.tensor([BREEDS[about[row].breed] for row in known], dtype=torch.long)
    first = before.logits.argmax(1)
    pieces = list(chunks(len(a), 32))
    return Fidelity(
        pictures=len(a),
        psnr=torch.cat([psnr(a[piece], b[piece]) for piece in pieces]).mean().item(),
        ssim=torch.cat([ssim(a[piece], b[piece]) for piece in pieces]).mean().item(),
        top1_kept=share(after.logits.argmax(1) == first),
        top5_kept=share(rank(after.logits, first) < 5),
        species_kept=share(says_cat(after.logits) == says_cat(before.logits)),
        breed_before=share(rank(before.logits[known], truth) == 0),
        breed_after=share(rank(after.logits[known], truth) == 0),
    )
