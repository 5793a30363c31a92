"""A photograph dissolves: forward diffusion in pixels and in latents, side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, log10

import torch
from PIL import Image, ImageDraw

from inkwash.denoiser import Target, scalings
from inkwash.forward.noising import add_noise
from inkwash.forward.schedule import STEPS, Schedule
from inkwash.latent.autoencoder import Autoencoder
from inkwash.latent.pixelspace import PixelSpace
from inkwash.latent.tiny_autoencoder import TinyAutoencoder
from inkwash.pictures.picture import images_of
from inkwash.rng import NoiseSource
from inkwash.show.canvas import FADED, INDIGO, INK, PAPER, RULE, fitted, sheet, stacked, write
from inkwash.types import Latents, Pixels

Space = Autoencoder | TinyAutoencoder | PixelSpace
SUBTITLE = "x = clean + σ noise, with the same noise at every level; shown as the network is given it, latents decoded"
STRIP_CELL, FILM_CELL = 160, 256
"""Least side of a picture on the strip and in the film."""


@dataclass(frozen=True)
class View:
    """What one space shows at one level."""

    picture: Image.Image
    decibels: float
    """Signal-to-noise ratio: 10 log10 of (variance of the clean numbers / sigma²); ∞ without noise."""


@dataclass(frozen=True)
class Frame:
    """One level of noise, seen in every space."""

    t: float
    sigma: float
    views: Mapping[str, View]


@dataclass(frozen=True)
class Dissolution:
    """A photograph on its way into noise."""

    frames: Sequence[Frame]
    numbers: Mapping[str, tuple[int, int, int]]
    """Channels, height and width of what each space holds."""


@torch.inference_mode()
def dissolve(
    photo: Pixels, spaces: Mapping[str, Space], schedule: Schedule, target: Target, frames: int, seed: int
) -> Dissolution:
    """One photograph (1, 3, h, w) at `frames` levels, even in t from 0 to the end, with the same noise at each.

    What is shown is what the network is given: noisy numbers of about unit variance, for latents decoded.
    """
    clean = {name: space.encode(photo) for name, space in spaces.items()}
    eps = {name: NoiseSource.seeded([seed]).like(numbers) for name, numbers in clean.items()}
    levels = schedule.sigma(torch.linspace(0, STEPS, frames))
    levels[0] = 0
    found = []
    for sigma in levels:
        into = scalings(target, sigma).into
        noisy = {name: into * add_noise(clean[name], sigma, eps[name]) for name in spaces}
        views = {
            name: View(images_of(space.decode(noisy[name]))[0], decibels(clean[name], sigma.item()))
            for name, space in spaces.items()
        }
        found.append(Frame(schedule.t(sigma).item(), sigma.item(), views))
    return Dissolution(found, {name: (x.shape[1], x.shape[2], x.shape[3]) for name, x in clean.items()})


def decibels(clean: Latents, sigma: float) -> float:
    """10 log10 of variance / sigma²; ∞ for no noise.  (Kingma et al. 2021, eq. 2, for data of any variance)"""
    return inf if sigma == 0 else 10 * log10(max(clean.var().item(), 1e-12) / sigma**2)


def strip(found: Dissolution, title: str) -> Image.Image:
    """A row for every space, a column for every level: an RGB picture."""
    rows = []
    for name, (channels, high, wide) in found.numbers.items():
        pictures = [enlarged(frame.views[name].picture, STRIP_CELL) for frame in found.frames]
        words = [f"{_place(frame)}\n{_told(frame.views[name].decibels)}" for frame in found.frames]
        head = f"{name}: {channels} × {high} × {wide} = {channels * high * wide:,} numbers"
        rows.append(sheet(pictures, len(pictures), words, title=head, size=20))
    return stacked([_heading(title, rows[0].width), *rows], gap=6, margin=12)


def film_frames(found: Dissolution) -> list[Image.Image]:
    """The levels as moments in time: every space side by side, and how far the ink has spread."""
    return [_moment(frame, index / (len(found.frames) - 1)) for index, frame in enumerate(found.frames)]


def enlarged(picture: Image.Image, least: int) -> Image.Image:
    """A whole number of times as large, so that every pixel stays a square, and at least `least` high."""
    times = max(1, -(-least // picture.height))
    return picture.resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST)


def _moment(frame: Frame, part: float) -> Image.Image:
    pictures = [enlarged(view.picture, FILM_CELL) for view in frame.views.values()]
    words = [f"{name}, {_told(view.decibels)}" for name, view in frame.views.items()]
    paper = sheet(pictures, len(pictures), words, size=18)
    foot = Image.new("RGB", (paper.width, 40), PAPER)
    draw, left, right = ImageDraw.Draw(foot), 12, paper.width - 12
    draw.line([(left, 8), (right, 8)], fill=RULE, width=3)
    draw.line([(left, 8), (left + round(part * (right - left)), 8)], fill=INDIGO, width=3)
    write(foot, (left, 27), f"t {frame.t:.0f}", 16, INK, "lm")
    write(foot, (right, 27), f"σ {frame.sigma:.2f}", 16, FADED, "rm")
    return stacked([paper, foot], gap=0)


def _heading(title: str, width: int) -> Image.Image:
    paper = Image.new("RGB", (width, 76), PAPER)
    write(paper, (12, 28), fitted(title, width - 24, 34), 34, INK, "lm")
    write(paper, (12, 62), fitted(SUBTITLE, width - 24, 20), 20, FADED, "lm")
    return paper


def _place(frame: Frame) -> str:
    return f"t {frame.t:.0f}, σ {frame.sigma:,.0f}" if frame.sigma >= 100 else f"t {frame.t:.0f}, σ {frame.sigma:.3g}"


def _told(ratio: float) -> str:
    return "no noise" if ratio == inf else f"SNR {round(ratio):+d} dB"
