"""The course of an autoencoder: random crops, and the same crops back."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from jaxtyping import UInt8
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from inkwash.device import Compute
from inkwash.errors import DataError
from inkwash.files import atomic
from inkwash.latent.autoencoder import Autoencoder
from inkwash.nn.imagenet import classifier
from inkwash.training.autoencoder import lesson
from inkwash.training.config import AutoencoderConfig
from inkwash.training.data import Pictures, learned
from inkwash.training.dice import dice, normal, picture_at
from inkwash.training.objective import Lesson, Objective
from inkwash.training.statistics import measured
from inkwash.training.workers import Team
from inkwash.types import Latents, Pixels
from inkwash.weights.parts import write_part

EXAMINED, MEASURED, CHUNK = 128, 2048, 32


@dataclass(frozen=True)
class Crops:
    """Crops, the noise of their latents, and whether they are also asked for at half size."""

    pixels: Pixels
    eps: Latents
    halved: bool

    def __len__(self) -> int:
        return len(self.pixels)


@dataclass(frozen=True)
class AutoencoderCourse:
    """Where the pictures lie, and which of them are learned."""

    config: AutoencoderConfig
    pictures: Path
    learn: tuple[int, ...]
    held: tuple[int, ...]

    @cached_property
    def pixels(self) -> UInt8[Tensor, "n 3 size size"]:
        """All pictures."""
        return load_file(self.pictures)["pixels"]

    def materials(self) -> Mapping[str, str]:
        """The pictures, by a name that changes with them."""
        return {"pictures": self.pictures.name}

    def alone(self) -> "AutoencoderCourse":
        """Every worker needs the pictures, each from the same file."""
        return replace(self)

    def network(self) -> nn.Module:
        """The autoencoder of the config."""
        return Autoencoder(self.config.autoencoder)

    def objective(self) -> Objective:
        """Likeness to the eye, and latents that are easy to predict."""
        eyes, weights = classifier("lite0"), self.config.likeness

        def same_again(network: nn.Module, crops: Crops) -> Lesson:
            told = lesson(network, crops.pixels, crops.eps, eyes, weights, halved=crops.halved)  # type: ignore[arg-type]
            return Lesson(told.loss.expand(len(crops)), torch.zeros(len(crops)))

        return same_again

    def lessons(self, seen: int, team: Team) -> Iterator[list[Crops]]:
        """Crops, some mirrored, of this worker's share of every batch."""
        config = self.config
        share = config.batch // team.count
        size = share // config.accumulate
        for start in range(seen, config.images - config.batch + 1, config.batch):
            first = start + team.rank * share
            halved = config.halved_every > 0 and start // config.batch % config.halved_every == 0
            yield [self.crops(range(place, place + size), halved) for place in range(first, first + share, size)]

    def crops(self, places: range, halved: bool) -> Crops:
        """The crops seen as numbers `places` of the run."""
        config = self.config
        streams = [dice(config.seed, place) for place in places]
        cut = []
        for place, stream in zip(places, streams, strict=True):
            picture = self.pixels[self.learn[picture_at(config.seed, place, len(self.learn))]]
            top, left = stream.integers(config.size - config.crop + 1, size=2)
            crop = picture[:, top : top + config.crop, left : left + config.crop]
            cut.append(crop.flip(-1) if stream.random() < 0.5 else crop)
        pixels = (torch.stack(cut).float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)
        spec = config.autoencoder
        side = config.crop // spec.factor
        return Crops(pixels, normal(streams, (spec.latent_channels, side, side)), halved)

    @torch.inference_mode()
    def examine(self, network: nn.Module, compute: Compute) -> Mapping[str, Any] | None:
        """Mean peak signal-to-noise ratio of whole held-out pictures, in decibels."""
        if not self.held:
            return None
        real = self.some(self.held)
        found = torch.cat([self._again(network, part) for part in real.split(CHUNK)])
        error = (found.clamp(-1, 1) - real).square().mean(dim=(1, 2, 3))
        return {"psnr": (10 * torch.log10(4 / error)).mean().item()}

    @torch.inference_mode()
    def paint(self, network: nn.Module) -> Pixels | None:
        """Held-out pictures, each row followed by its reconstruction."""
        real = self.some(self.held or self.learn)[:32]
        found = self._again(network, real)
        return torch.cat([torch.cat(pair) for pair in zip(real.split(8), found.split(8), strict=True)])

    @torch.inference_mode()
    def export(self, network: nn.Module, weights: Mapping[str, Tensor], images_seen: int, out: Path) -> None:
        """autoencoder.safetensors, with the statistics of its latents in the spec, so that they have unit variance."""
        assert isinstance(network, Autoencoder)  # noqa: S101  the course makes no other network
        spec = measured(network, self.pixels[list(self.learn[:MEASURED])])
        write_part(out / "autoencoder.safetensors", weights, spec, {"images": str(images_seen)})

    def some(self, places: tuple[int, ...], count: int = EXAMINED) -> Pixels:
        """The first pictures of `places`."""
        return self.pixels[list(places[:count])].float() / 127.5 - 1

    def _again(self, network: nn.Module, pixels: Pixels) -> Pixels:
        return network.decode(network.moments(pixels)[0])  # type: ignore[no-any-return, operator]


def autoencoder_course(config: AutoencoderConfig, pictures: Pictures, cache: Path) -> AutoencoderCourse:
    """Keep the pictures in a file that all workers share."""
    if pictures.pixels.shape[-1] < config.crop:
        raise DataError(f"crops of {config.crop} pixels do not fit into pictures of {pictures.pixels.shape[-1]}")
    learn, held = learned(pictures, config.held_out)
    name = hashlib.sha256("\n".join(pictures.keys).encode()).hexdigest()[:8]
    path = cache / f"pictures-{pictures.digest()}-{name}.safetensors"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with atomic(path, overwrite=True) as part:
            save_file({"pixels": pictures.pixels}, part)
    return AutoencoderCourse(config, path, learn, held)
