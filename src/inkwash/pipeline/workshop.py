"""All that a request brings along beside its model: adapters, learned words, controls, pictures that are prompts."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import torch

from inkwash.metadata.infotext_groups import against
from inkwash.metadata.units import units
from inkwash.pipeline.aids import Aids
from inkwash.pipeline.batch import Batch
from inkwash.pipeline.called import called_loras, called_words
from inkwash.pipeline.steering import Steering
from inkwash.request.generate import GenerateRequest
from inkwash.types import Sigmas
from inkwash.weights.adapted import patched
from inkwash.weights.bundle import Bundle
from inkwash.weights.containers.opening import open_source
from inkwash.weights.embeddings import Embedding, bundled, learning, read_embedding
from inkwash.weights.files import file_sha256, tensors_sha256

SHORT = 12
"""Letters of hashes that web UIs write for adapters and learned words."""


class Workshop:
    """What helps one engine; files are read when a request first wants them."""

    def __init__(self, bundle: Bundle, device: torch.device) -> None:
        self.bundle = bundle
        self.steering = Steering(bundle, device)
        self._sha256 = lru_cache(None)(file_sha256)
        self._tensors_sha256 = lru_cache(None)(tensors_sha256)

    @contextmanager
    def at_work(self, batch: Batch, sigmas: Sigmas) -> Iterator[Aids]:
        """Inside the block the model is as the batch wants it; afterwards it is the bits that it was.

        Raises InvalidRequest and WeightsError for what cannot be found, is broken, or was made for another model.
        """
        loras = [(path, lora.text, lora.image, lora.rank) for lora, path in called_loras(batch.shared)]
        words = [read_word(path, word) for word, path in _words(batch).items()]
        words += [word for path, *_ in loras for word in bundled(open_source(path))]
        networks = self.steering.networks(batch.shared)  # before adapters act on what control-LoRAs are built on
        with patched(self.bundle, loras), learning(self.bundle.text, words):
            aids = self.steering.aids(batch.shared, sigmas, networks)
            with aids.looking(self.bundle.predictor):
                yield aids

    def files(self, request: GenerateRequest) -> dict[str, str]:
        """sha256 of every file that a resolved request brings along, by its path."""
        paths = [path for _, path in called_loras(request)] + list(called_words(request).values())
        paths += [control.model for control in request.control] + [look.model for look in request.ip_adapter]
        paths += [look.tower for look in request.ip_adapter]
        whole = [path for each in paths for path in open_source(each).files]
        return {path.as_posix(): self._sha256(path) for path in whole}

    def told(self, request: GenerateRequest) -> Mapping[str, str]:
        """Settings that other programs write of them, and what the model would do by itself and does not."""
        loras = {path.stem: self._tensors_sha256(path) for _, path in called_loras(request)}
        words = {path.stem: self._sha256(path) for path in called_words(request).values()}
        hashes = {"Lora hashes": _row(loras), "TI hashes": _row(words)}
        kept = against(request, self.bundle.defaults)
        return units(request) | {name: row for name, row in hashes.items() if row} | kept


def pictures_of(request: GenerateRequest) -> list[Path]:
    """What controls and IP-Adapters look at."""
    return [each.image for each in request.control] + [path for each in request.ip_adapter for path in each.images]


def read_word(path: Path, word: str) -> Embedding:
    """A learned word.  Raises WeightsError for a file that is none."""
    return read_embedding(open_source(path), word)


def _words(batch: Batch) -> dict[str, Path]:
    return {word: path for request in batch.requests for word, path in called_words(request).items()}


def _row(hashes: Mapping[str, str]) -> str:
    clean = {name.replace(":", "").replace(",", ""): each[:SHORT] for name, each in hashes.items()}
    return ", ".join(f"{name}: {short}" for name, short in clean.items())
