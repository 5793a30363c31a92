"""Photographs with what is known of them, read from a folder of WebDataset shards and its metadata.csv."""

import csv
import io
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError

from inkwash.errors import DataError
from inkwash.evaluation.pictures import Pictures

HELD_OUT_EVERY = 20
"""Training never sees a sample whose key divides by this."""


@dataclass(frozen=True)
class About:
    """One line of metadata.csv."""

    key: str
    species: str
    breed: str
    coat: str
    caption: str

    @property
    def held_out(self) -> bool:
        """Whether training leaves this picture alone."""
        return int(self.key) % HELD_OUT_EVERY == 0


@dataclass(frozen=True)
class Photos:
    """Photographs; `about[k]` tells of picture k."""

    pictures: Pictures
    about: tuple[About, ...]

    def __len__(self) -> int:
        return len(self.about)

    def __getitem__(self, rows: list[int]) -> "Photos":
        return Photos(self.pictures[rows], tuple(self.about[row] for row in rows))

    def rows(self, wanted: Callable[[About], bool]) -> list[int]:
        """Where the pictures are of which `wanted` is true."""
        return [row for row, about in enumerate(self.about) if wanted(about)]


def held_out(data: Path) -> Photos:
    """The photographs that no training sees.

    Raises DataError if the folder or a shard cannot be read.
    """
    return load(data, lambda about: about.held_out)


def training(data: Path) -> Photos:
    """The photographs that training may see; raises DataError as `held_out` does."""
    return load(data, lambda about: not about.held_out)


def load(data: Path, wanted: Callable[[About], bool]) -> Photos:
    """The photographs of which `wanted` is true, in the order of their keys."""
    known = metadata(data)
    names = {key for key, about in known.items() if wanted(about)}
    found = dict(sample for shard in sorted(data.glob("*.tar")) for sample in _pictures(shard, names))
    missing = names - found.keys()
    if missing or not names:
        raise DataError(f"{data} lacks the pictures of {len(missing)} of the {len(names)} samples wanted")
    keys = sorted(found)
    return Photos(torch.stack([found[key] for key in keys]), tuple(known[key] for key in keys))


def metadata(data: Path) -> Mapping[str, About]:
    """What is known of every sample, by its key."""
    try:
        with (data / "metadata.csv").open(encoding="utf-8", newline="") as file:
            return {
                line["key"]: About(line["key"], line["class"], line["breed"], line["coat"], line["caption"])
                for line in csv.DictReader(file)
            }
    except OSError as error:
        raise DataError(f"cannot read {data / 'metadata.csv'}: {error.strerror}") from None
    except KeyError as error:
        raise DataError(f"{data / 'metadata.csv'} has no column {error}") from None


def breeds(known: Mapping[str, About], species: str = "dog", at_least: int = 20) -> dict[str, str]:
    """Breeds with enough pictures and the caption of each, in alphabetical order."""
    count = Counter(about.breed for about in known.values() if about.species == species and about.breed)
    captions = {about.breed: about.caption for about in known.values()}
    return {breed: captions[breed] for breed in sorted(count) if count[breed] >= at_least}


def _pictures(shard: Path, names: set[str]) -> Iterator[tuple[str, torch.Tensor]]:
    try:
        with tarfile.open(shard) as tar:
            for member in tar:
                key, _, kind = member.name.partition(".")
                if kind == "jpg" and key in names and (file := tar.extractfile(member)):
                    with Image.open(io.BytesIO(file.read())) as picture:
                        yield key, torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1)
    except (OSError, tarfile.TarError, UnidentifiedImageError) as error:
        raise DataError(f"cannot read {shard}: {error}") from None
