"""Pictures with captions, from a folder or from WebDataset tars, into memory."""

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from inkwash.errors import DataError
from inkwash.training.captions_of import folder_captions, json_captions

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
Warn = Callable[[str], None]


@dataclass(frozen=True)
class Raw:
    """A picture as it lies on the disk."""

    key: str
    data: bytes
    captions: tuple[str, ...]
    where: str


@dataclass(frozen=True)
class Pictures:
    """All pictures of a set at one size, each with the captions it may be shown with."""

    pixels: UInt8[Tensor, "n 3 size size"]
    keys: tuple[str, ...]
    captions: tuple[tuple[str, ...], ...]

    def __len__(self) -> int:
        return len(self.keys)

    def digest(self) -> str:
        """A hash of the pixels."""
        return hashlib.sha256(self.pixels.numpy().data).hexdigest()[:16]

    def split(self, every: int) -> tuple[list[int], list[int]]:
        """Places of the pictures to learn, and of those held out: keys that are numbers divisible by `every`.

        Keys that are no numbers count in their order.
        """
        numbers = [int(key) if key.isdecimal() else place for place, key in enumerate(self.keys)]
        held = [place for place, number in enumerate(numbers) if every and number % every == 0]
        return sorted(set(range(len(self))) - set(held)), held


def learned(pictures: Pictures, every: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """`Pictures.split`, as a course keeps it.  Raises DataError if nothing would be left to learn."""
    learn, held = pictures.split(every)
    if not learn:
        raise DataError(f"{len(pictures)} pictures are too few to hold any out")
    return tuple(learn), tuple(held)


def read_pictures(path: Path, size: int, captions: Path | None = None, warn: Warn = lambda line: None) -> Pictures:
    """Read a folder of pictures, a folder of tars, or one tar; cut to the middle square and scaled to `size`.

    `captions`, a JSON of key -> captions, goes before the captions of the set. Unreadable pictures are told to `warn`
    and left out. Raises DataError if there is nothing to read.
    """
    given = json_captions(captions) if captions else {}
    pixels, keys, texts = [], [], []
    for raw in read_raw(path, warn):
        try:
            with Image.open(io.BytesIO(raw.data)) as picture:
                pixels.append(torch.from_numpy(square(picture, size)))
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            warn(f"left out {raw.where}: {error}")
            continue
        keys.append(raw.key)
        texts.append(given.get(raw.key, raw.captions) or ("",))
    if not pixels:
        raise DataError(f"no readable pictures in {path}")
    return Pictures(torch.stack(pixels), tuple(keys), tuple(texts))


def square(picture: Image.Image, size: int) -> UInt8[np.ndarray, "3 size size"]:
    """The middle square of a picture on white, in RGB; reads no more of a JPEG than it must."""
    picture.draft("RGB", (size, size))
    if picture.mode in ("RGBA", "LA", "P", "PA"):
        ink = picture.convert("RGBA")
        picture = Image.new("RGBA", ink.size, "white")
        picture.alpha_composite(ink)
    side, (width, height) = min(picture.size), picture.size
    left, top = (width - side) // 2, (height - side) // 2
    middle = picture.convert("RGB").resize((size, size), Image.Resampling.LANCZOS, (left, top, left + side, top + side))
    return np.ascontiguousarray(np.asarray(middle).transpose(2, 0, 1))


def read_raw(path: Path, warn: Warn) -> Iterator[Raw]:
    """Every picture at `path`, in the order of their names.  Raises DataError if the path cannot be read."""
    if not path.exists():
        raise DataError(f"{path} does not exist")
    tars = [path] if path.is_file() else sorted(path.glob("*.tar"))
    return (raw for tar in tars for raw in tar_samples(tar, warn)) if tars else folder_samples(path)


def folder_samples(folder: Path) -> Iterator[Raw]:
    """A folder of pictures: captions beside them in .txt, or for all in metadata.jsonl or metadata.csv."""
    told = folder_captions(folder)
    for file in sorted(file for file in folder.rglob("*") if file.suffix.lower() in PICTURES):
        name = file.relative_to(folder).as_posix()
        beside = file.with_suffix(".txt")
        captions = lines(beside.read_text("utf-8", "replace")) if beside.is_file() else told.get(name, ())
        yield Raw(file.relative_to(folder).with_suffix("").as_posix(), file.read_bytes(), captions, str(file))


def tar_samples(tar: Path, warn: Warn) -> Iterator[Raw]:
    """WebDataset: files whose names agree up to the first dot are one sample, and lie next to each other."""
    parts: dict[str, bytes] = {}
    before: str | None = None
    for key, kind, data in _members(tar, warn):
        if key != before and before is not None:
            yield from _sample(tar, before, parts)
            parts = {}
        before = key
        parts[kind] = data
    if before is not None:
        yield from _sample(tar, before, parts)


def lines(text: str) -> tuple[str, ...]:
    """Captions: one per line, empty ones left out."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _members(tar: Path, warn: Warn) -> Iterator[tuple[str, str, bytes]]:
    try:
        with tarfile.open(tar) as archive:
            for member in archive:
                file = archive.extractfile(member) if member.isfile() else None
                if file is not None:
                    folder, _, name = member.name.rpartition("/")
                    stem, _, kind = name.partition(".")
                    yield (f"{folder}/{stem}" if folder else stem), f".{kind.lower()}", file.read()
    except (tarfile.TarError, OSError, EOFError) as error:
        warn(f"stopped reading {tar}: {error}")


def _sample(tar: Path, key: str, parts: Mapping[str, bytes]) -> Iterator[Raw]:
    picture = next((data for kind, data in parts.items() if kind in PICTURES), None)
    if picture is None:
        return
    captions: tuple[str, ...] = ()
    if ".txt" in parts:
        captions = lines(parts[".txt"].decode("utf-8", "replace"))
    elif ".json" in parts:
        captions = _json_caption(parts[".json"])
    yield Raw(key, picture, captions, f"{tar}/{key}")


def _json_caption(data: bytes) -> tuple[str, ...]:
    try:
        told = json.loads(data)
    except ValueError:
        return ()
    return lines(str(told.get("caption") or told.get("text") or "")) if isinstance(told, dict) else ()
