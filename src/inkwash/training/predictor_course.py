"""The course of a noise predictor: latents and words from the caches, noise to be told."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from inkwash.device import Compute
from inkwash.errors import InvalidRequest
from inkwash.predictor.unet import UNet
from inkwash.text.conditioning import Conditioner
from inkwash.training.alignment import Aligned, AlsoSee, view_cache
from inkwash.training.cache import LatentSpace, Shelf, digest, latent_cache, word_cache
from inkwash.training.config import TrainConfig
from inkwash.training.data import Pictures, learned
from inkwash.training.lessons import batches
from inkwash.training.objective import Batch, Objective, objective_of
from inkwash.training.parts import Parts
from inkwash.training.sheet import GUIDANCE, SPACING, STEPS, sheet
from inkwash.training.validate import validate
from inkwash.training.workers import Team
from inkwash.types import Pixels
from inkwash.weights.bundle import Bundle, save_bundle
from inkwash.weights.files import read
from inkwash.weights.fit import fit
from inkwash.weights.manifest import Defaults
from inkwash.weights.parts import read_predictor, write_part


@dataclass(frozen=True)
class PredictorCourse:
    """Where the caches lie, and which of their pictures are learned; `parts` only the first worker has."""

    config: TrainConfig
    latents: Path
    words: Path
    learn: tuple[int, ...]
    held: tuple[int, ...]
    parts: Parts | None = None
    start: Path | None = None
    """A predictor's file to begin with; without it every weight is drawn."""
    views: Path | None = None

    @cached_property
    def shelf(self) -> Shelf:
        """The contents of the caches."""
        return Shelf.open(self.latents, self.words, self.views)

    def materials(self) -> Mapping[str, str]:
        """The caches, whose names change with what is in them, and the weights to begin with."""
        begin = {} if self.start is None else {"start": digest(read_predictor(self.start).network)}
        return {"latents": self.latents.name, "words": self.words.name, **begin}

    def alone(self) -> "PredictorCourse":
        """Without the autoencoder and the text encoder."""
        return replace(self, parts=None)

    def network(self) -> nn.Module:
        """The U-Net of the config, as it was left in the file to begin with.

        Raises WeightsError if that is another network's.
        """
        spec = self.config.predictor
        network = Aligned(spec) if self.config.alignment else UNet(spec)
        if self.start is not None:
            fit(told_by(network), read(self.start).tensors, str(self.start))
        return network

    def objective(self) -> Objective:
        """Tell the noise, and see, where that is asked for."""
        tell, weight = objective_of(self.config), self.config.alignment
        return AlsoSee(tell, weight) if weight else tell

    def lessons(self, seen: int, team: Team) -> Iterator[list[Batch]]:
        """Batches from the shelf."""
        return batches(self.shelf, self.learn, self.config, seen, team)

    def examine(self, network: nn.Module, compute: Compute) -> Mapping[str, Any] | None:
        """Held-out loss, over all and in parts of the schedule from clean to noisy."""
        if not self.held:
            return None
        bins = validate(network, self.shelf, self.held, self.config, compute)
        return {"loss": sum(bins) / len(bins), "bins": list(bins)}

    def paint(self, network: nn.Module) -> Pixels | None:
        """The prompts of the config."""
        if self.parts is None or not self.config.prompts:
            return None
        return sheet(network, self.parts.space, self.parts.words, self.config, self.shelf.shape)

    def export(self, network: nn.Module, weights: Mapping[str, Tensor], images_seen: int, out: Path) -> None:
        """predictor.safetensors, and with all its parts a bundle that paints."""
        predictor = told_by(network)
        own = predictor.state_dict() if predictor is not network else weights
        facts = {"images": str(images_seen), "target": self.config.target, "schedule": self.config.schedule}
        write_part(out / "predictor.safetensors", own, self.config.predictor, facts)
        if self.parts is not None and isinstance(self.parts.words, Conditioner):
            save_bundle(out / "bundle", self._bundle(predictor, self.parts.space, self.parts.words), overwrite=True)

    def _bundle(self, network: UNet, space: LatentSpace, words: Conditioner) -> Bundle:
        size = self.config.size
        return Bundle(
            name=self.config.name,
            predictor=network,
            schedule=self.config.noise_levels(),
            target=self.config.target,
            autoencoder=space,  # type: ignore[arg-type]
            text=words,
            defaults=Defaults(width=size, height=size, steps=STEPS, spacing=SPACING, guidance=GUIDANCE),
        )


def told_by(network: nn.Module) -> UNet:
    """The U-Net, without the head that is for training only."""
    found = network.predictor if isinstance(network, Aligned) else network
    assert isinstance(found, UNet)  # noqa: S101  the course makes no other network
    return found


def predictor_course(
    config: TrainConfig,
    pictures: Pictures,
    parts: Parts,
    cache: Path,
    say: Callable[[str], None],
    start: Path | None = None,
) -> PredictorCourse:
    """Fill the caches where they are not filled yet.

    Raises InvalidRequest if the network is built for other latents or other words.
    """
    learn, held = learned(pictures, config.held_out)
    say("encoding pictures")
    latents = latent_cache(parts.space, parts.space_key, pictures, cache, flips=config.flips)
    say("encoding captions")
    words = word_cache(parts.words, parts.words_key, pictures.captions, cache)
    course = PredictorCourse(config, latents, words, learn, held, parts, start)
    shelf, spec = course.shelf, config.predictor
    for field, wanted, found in (
        ("predictor.channels_in", shelf.mean.shape[2], spec.channels_in),
        ("predictor.text_width", shelf.words.rows.shape[1], spec.text_width),
    ):
        if wanted != found:
            raise InvalidRequest(field, found, f"{wanted}, as the autoencoder and the text encoder have it")
    if not config.alignment:
        return course
    say("looking at pictures")
    bottom = math.ceil(shelf.mean.shape[-1] / 2 ** (len(spec.stages) - 1))
    return replace(course, views=view_cache(pictures, bottom, cache, flips=config.flips))
