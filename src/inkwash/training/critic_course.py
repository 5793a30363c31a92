"""The course of a decoder and its critic: the crops of the autoencoder's own course, larger."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from inkwash.device import Compute
from inkwash.latent.autoencoder import Autoencoder
from inkwash.nn.imagenet import classifier
from inkwash.training.autoencoder import perceptual
from inkwash.training.autoencoder_course import CHUNK, AutoencoderCourse, autoencoder_course
from inkwash.training.cache import digest
from inkwash.training.critic import Duel, FoolTheCritic, Shown
from inkwash.training.critic_config import CriticConfig
from inkwash.training.data import Pictures
from inkwash.training.discriminator import PatchDiscriminator
from inkwash.training.objective import Objective
from inkwash.training.workers import Team
from inkwash.types import Pixels
from inkwash.weights.parts import read_autoencoder, write_part

PREFIX = "autoencoder."


@dataclass(frozen=True)
class CriticCourse:
    """Where the autoencoder lies whose decoder learns on, and the pictures."""

    config: CriticConfig
    start: Path
    weights: str
    """A name that changes with the weights in `start`."""
    pictures: AutoencoderCourse

    def materials(self) -> Mapping[str, str]:
        """The pictures and the autoencoder."""
        return {**self.pictures.materials(), "autoencoder": self.weights}

    def alone(self) -> "CriticCourse":
        """Every worker reads the same files."""
        return replace(self, pictures=self.pictures.alone())

    def network(self) -> nn.Module:
        """The autoencoder as it was left, and a critic who knows nothing."""
        return Duel(
            read_autoencoder(self.start), PatchDiscriminator(self.config.critic_width, self.config.critic_layers)
        )

    def objective(self) -> Objective:
        """Be alike, and fool the critic."""
        return FoolTheCritic(classifier("lite0"), self.config.likeness)

    def lessons(self, seen: int, team: Team) -> Iterator[list[Shown]]:
        """Crops from the course of the autoencoder, and how loud the critic is by now."""
        for number, parts in enumerate(self.pictures.lessons(seen, team)):
            pull = self.config.pull(seen + number * self.config.batch)
            yield [Shown(crops, pull) for crops in parts]

    @torch.inference_mode()
    def examine(self, network: nn.Module, compute: Compute) -> Mapping[str, Any] | None:
        """Peak signal-to-noise ratio, which a critic spoils a little, and perceptual distance, which it should not."""
        space = _space(network)
        found = self.pictures.examine(space, compute)
        if found is None:
            return None
        eyes, parts = classifier("lite0"), self.pictures.some(self.pictures.held).split(CHUNK)
        blocks = self.config.likeness.blocks
        apart = [perceptual(part, space.decode(space.moments(part)[0]), eyes, blocks).item() for part in parts]
        return {**found, "perceptual": sum(apart) / len(apart)}

    def paint(self, network: nn.Module) -> Pixels | None:
        """Held-out pictures, each row followed by its reconstruction."""
        return self.pictures.paint(_space(network))

    def export(self, network: nn.Module, weights: Mapping[str, Tensor], images_seen: int, out: Path) -> None:
        """autoencoder.safetensors; the latents are what they were, and so are their statistics."""
        own = {name.removeprefix(PREFIX): weight for name, weight in weights.items() if name.startswith(PREFIX)}
        notes = {"critic_images": str(images_seen)}
        write_part(out / "autoencoder.safetensors", own, _space(network).spec, notes)


def critic_course(config: CriticConfig, start: Path, pictures: Pictures, cache: Path) -> CriticCourse:
    """Let the decoder in the file `start` learn on.  Raises WeightsError for a broken file, DataError for pictures."""
    space = read_autoencoder(start)
    config = replace(config, autoencoder=space.spec)
    return CriticCourse(config, start.resolve(), digest(space), autoencoder_course(config, pictures, cache))


def _space(network: nn.Module) -> Autoencoder:
    assert isinstance(network, Duel)  # noqa: S101  the course makes no other network
    return network.autoencoder
