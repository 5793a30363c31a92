"""A small world: dark pictures are cats, reddish ones pugs, greenish ones beagles, and eyes that know no better."""

import csv
import io
import tarfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from inkwash.evaluation.desk import Desk, laid_out
from inkwash.evaluation.labels import BREEDS
from inkwash.evaluation.pets import Report, Sizes, evaluate
from inkwash.evaluation.reals import Photos
from inkwash.evaluation.subject import Subject
from inkwash.evaluation.views import Eyes
from inkwash.latent.pixelspace import PixelSpace

KINDS = (("cat", "", "", "a photo of a cat"), ("dog", "pug", "", "a photo of a pug dog"))
COLOURS = {"a photo of a cat": (40, 40, 60), "a photo of a pug dog": (200, 120, 90)}
COLOURS["a photo of a beagle dog"] = (110, 200, 100)
SIDE = 16


def picture(caption: str, seed: int) -> np.ndarray:
    """Noise around the colour of the caption; (h, w, 3) bytes."""
    noise = np.random.default_rng(seed).normal(0, 25, (SIDE, SIDE, 3))
    return np.clip(np.array(COLOURS[caption]) + noise, 0, 255).astype(np.uint8)


def lines(count: int) -> list[tuple[str, str, str, str]]:
    """Half cats, a quarter pugs, a quarter beagles, mixed."""
    beagle = ("dog", "beagle", "", "a photo of a beagle dog")
    return [(KINDS[0], KINDS[1], KINDS[0], beagle)[(n + n // 20) % 4] for n in range(count)]


def write_tar(path: Path, members: Sequence[tuple[str, bytes]]) -> None:
    with tarfile.open(path, "w") as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """240 samples in two shards; PNG inside, so that nothing is lost."""
    folder = tmp_path_factory.mktemp("data")
    told = lines(240)
    for shard in range(2):
        members = []
        for n in range(120 * shard, 120 * (shard + 1)):
            file = io.BytesIO()
            Image.fromarray(picture(told[n][3], n)).save(file, "PNG")
            members += [(f"{n:06}.jpg", file.getvalue()), (f"{n:06}.txt", told[n][3].encode())]
        write_tar(folder / f"some-{shard:04}.tar", members)
    with (folder / "metadata.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["key", "shard", "class", "breed", "coat", "source", "file", "caption"])
        for n, (species, breed, coat, caption) in enumerate(told):
            table.writerow([f"{n:06}", f"some-{n // 120:04}.tar", species, breed, coat, "here", f"{n}.jpg", caption])
    return folder


@pytest.fixture(scope="session")
def eyes() -> Eyes:
    """Features are a 4 x 4 picture; answers go by its mean colour."""

    def features(pixels: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.adaptive_avg_pool2d(pixels, 4).flatten(1)

    def answers(features: torch.Tensor) -> torch.Tensor:
        red, green, _ = features.reshape(-1, 3, 16).mean(2).unbind(1)
        logits = torch.zeros(len(features), 1000)
        logits[:, 281] = -10 * (red + green)
        logits[:, BREEDS["pug"]] = 10 * (red - green) + 5 * (red + green)
        logits[:, BREEDS["beagle"]] = 10 * (green - red) + 5 * (red + green)
        return logits

    return Eyes("colours", features, answers)


@pytest.fixture(scope="session")
def desk(data: Path, eyes: Eyes, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return laid_out(data, tmp_path_factory.mktemp("seen"), eyes)


class Thief:
    """Paints photographs of the training: what a perfect, and perfectly dishonest, model would do."""

    def __init__(self, photos: Photos) -> None:
        self.photos = photos

    def __call__(self, prompts: Sequence[str], seeds: Sequence[int]) -> torch.Tensor:
        return torch.stack([self._one(prompt, seed) for prompt, seed in zip(prompts, seeds, strict=True)])

    def _one(self, prompt: str, seed: int) -> torch.Tensor:
        rows = self.photos.rows(lambda about: about.caption == prompt) or [0]
        return self.photos.pictures[rows[seed % len(rows)]]


class Artist:
    """Paints new pictures of the right colour."""

    def __call__(self, prompts: Sequence[str], seeds: Sequence[int]) -> torch.Tensor:
        pairs = zip(prompts, seeds, strict=True)
        made = [picture(prompt if prompt in COLOURS else "a photo of a cat", 10_000 + seed) for prompt, seed in pairs]
        return torch.stack([torch.from_numpy(one).permute(2, 0, 1) for one in made])


@pytest.fixture(scope="session")
def thief(desk: Desk) -> Thief:
    return Thief(desk.known)


@pytest.fixture(scope="session")
def artist() -> Artist:
    return Artist()


@pytest.fixture(scope="session")
def honest(artist: Artist, desk: Desk) -> Report:
    """The measurement of a painter that does nothing wrong."""
    return evaluate(Subject("pets", "by hand", artist, PixelSpace()), desk, Sizes(40, 4, 2))
