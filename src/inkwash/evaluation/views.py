"""What a classifier sees in pictures: its answers and its features, kept on disk for photographs."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import torch
from jaxtyping import Float, Int
from safetensors.torch import load_file, save_file
from torch import Tensor

from inkwash.evaluation.pictures import Pictures, as_pixels, chunks
from inkwash.files import atomic
from inkwash.nn.imagenet import classifier
from inkwash.types import Pixels

Told = Callable[[str, int, int], None]
"""told(what, done, of): how a long measurement says where it is."""


def silent(what: str, done: int, of: int) -> None:
    """Say nothing."""


@dataclass(frozen=True)
class Eyes:
    """A classifier in two halves: pixels in [-1, 1] -> features, features -> logits of ImageNet's 1,000 classes."""

    name: str
    features: Callable[[Pixels], Tensor]
    answers: Callable[[Tensor], Tensor]

    @classmethod
    def lite2(cls) -> "Eyes":
        """EfficientNet-Lite2: the one that judges, and is never trained against."""
        net = classifier("lite2")
        return cls("lite2", net.pooled, net.body.get_submodule("_fc"))


@dataclass(frozen=True)
class Views:
    """Row k is what was seen in picture k."""

    logits: Float[Tensor, "n 1000"]
    features: Float[Tensor, "n width"]

    def __len__(self) -> int:
        return len(self.logits)

    def __getitem__(self, rows: "slice | list[int] | Int[Tensor, ' m']") -> "Views":
        return Views(self.logits[rows], self.features[rows])


def joined(parts: "list[Views]") -> Views:
    """Views of several sets, one after the other."""
    return Views(torch.cat([part.logits for part in parts]), torch.cat([part.features for part in parts]))


@torch.inference_mode()
def look(eyes: Eyes, pictures: Pictures, told: Told = silent, batch: int = 16) -> Views:
    """Show the pictures to the classifier, `batch` at a time; float32."""
    seen = []
    for part in chunks(len(pictures), batch):
        pixels = as_pixels(pictures[part]).contiguous(memory_format=torch.channels_last)
        seen.append(eyes.features(pixels).float())
        told("looking", part.stop, len(pictures))
    features = torch.cat(seen)
    return Views(eyes.answers(features), features)


def remembered(eyes: Eyes, pictures: Pictures, folder: Path, told: Told = silent, part: int = 1024) -> Views:
    """`look`, kept in `folder` under a hash of the pictures: a second call reads, an interrupted one goes on.

    Raises OutputError if the folder cannot be written.
    """
    return joined([_one_part(eyes, pictures[rows], folder, told) for rows in chunks(len(pictures), part)])


def _one_part(eyes: Eyes, pictures: Pictures, folder: Path, told: Told) -> Views:
    path = folder / f"views-{eyes.name}-{sha256(pictures.contiguous().numpy().data).hexdigest()[:16]}.safetensors"
    if not path.exists():
        views = look(eyes, pictures, told)
        folder.mkdir(parents=True, exist_ok=True)
        with atomic(path, overwrite=True) as place:
            save_file({"logits": views.logits.clone(), "features": views.features.clone()}, place)
    kept = load_file(path)
    return Views(kept["logits"], kept["features"])
