"""What never changes during a run is computed once: latents of every picture and its flip, states of every caption."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int64
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from inkwash.files import atomic
from inkwash.training.data import Pictures
from inkwash.types import Latents, Pixels, TextStates

Words = Callable[[Sequence[str]], TextStates]
CHUNK = 64


@runtime_checkable
class LatentSpace(Protocol):
    """An autoencoder, or the identity."""

    def moments(self, pixels: Pixels) -> tuple[Latents, Latents]: ...  # noqa: D102
    def decode(self, latents: Latents) -> Pixels: ...  # noqa: D102


@dataclass(frozen=True)
class Shelf:
    """Everything that lessons are made of, small enough for memory; the file is shared by all workers."""

    mean: Float[Tensor, "n sides c h w"]
    spread: Float[Tensor, "n sides c h w"]
    words: "WordBank"
    views: Float[Tensor, "n sides seen side side"] | None = None

    def __len__(self) -> int:
        return len(self.mean)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of one latent: channels, height, width."""
        channels, height, width = self.mean.shape[2:]
        return channels, height, width

    @classmethod
    def open(cls, latents: Path, words: Path, views: Path | None = None) -> "Shelf":
        """From the cache files."""
        tensors = load_file(latents)
        seen = None if views is None else load_file(views)["views"]
        return cls(tensors["mean"], tensors["spread"], WordBank.open(words), seen)


@dataclass(frozen=True)
class WordBank:
    """The states of every distinct caption, without their padding; number 0 is the empty prompt.

    `captions[starts[i]:starts[i + 1]]` are the numbers of picture i's captions.
    """

    rows: Float[Tensor, "all_tokens width"]
    edges: Int64[Tensor, " texts_and_one"]
    tokens: int
    pooled: Float[Tensor, "texts pooled"] | None
    padded: bool
    captions: Int64[Tensor, " choices"]
    starts: Int64[Tensor, " pictures_and_one"]

    @classmethod
    def open(cls, path: Path) -> "WordBank":
        """From its cache file."""
        t = load_file(path)
        tokens, padded = t["shape"].tolist()
        return cls(t["rows"], t["edges"], tokens, t.get("pooled"), bool(padded), t["captions"], t["starts"])

    def choices(self, picture: int) -> Int64[Tensor, " some"]:
        """Numbers of the captions of a picture."""
        return self.captions[int(self.starts[picture]) : int(self.starts[picture + 1])]

    def states(self, texts: Sequence[int]) -> TextStates:
        """The captions of these numbers, padded again."""
        states = self.rows.new_zeros(len(texts), self.tokens, self.rows.shape[1])
        keep = torch.zeros(len(texts), self.tokens, dtype=torch.bool)
        for place, text in enumerate(texts):
            start, end = self.edges[text : text + 2].tolist()
            states[place, : end - start] = self.rows[start:end]
            keep[place, : end - start] = True
        pooled = None if self.pooled is None else self.pooled[torch.tensor(texts)].float()
        return TextStates(states.float(), pooled, keep if self.padded else None)


def digest(module: nn.Module) -> str:
    """A hash of all weights: a cache made with others is never taken for this one's."""
    told = hashlib.sha256()
    for name, weight in sorted(module.state_dict().items()):
        told.update(name.encode())
        told.update(weight.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return told.hexdigest()[:16]


@torch.inference_mode()
def latent_cache(space: LatentSpace, key: str, pictures: Pictures, folder: Path, *, flips: bool = True) -> Path:
    """Mean and deviation of the latents of every picture (and of its mirror image), in half precision.

    A flipped latent is not the latent of the flip, so both are encoded. `key` names the weights of `space`.
    """
    path = folder / f"latents-{key}-{pictures.digest()}{'' if flips else '-plain'}.safetensors"
    if path.exists():
        return path
    parts = []
    for chunk in pictures.pixels.split(CHUNK):
        pixels = chunk.float() / 127.5 - 1
        sides = [space.moments(side) for side in ((pixels, pixels.flip(-1)) if flips else (pixels,))]
        mean = torch.stack([mean for mean, _ in sides], dim=1)
        spread = torch.stack([(0.5 * logvar).exp() for _, logvar in sides], dim=1)
        parts.append((mean.half(), spread.half()))
    mean, spread = (torch.cat(part) for part in zip(*parts, strict=True))
    return _write(path, {"mean": mean, "spread": spread})


@torch.inference_mode()
def word_cache(words: Words, key: str, captions: Sequence[Sequence[str]], folder: Path) -> Path:
    """The states of every distinct caption, computed once. `key` names the encoder and its tokenizer."""
    told = hashlib.sha256(json.dumps([list(some) for some in captions]).encode()).hexdigest()[:16]
    path = folder / f"words-{key}-{told}.safetensors"
    if path.exists():
        return path
    numbers = {"": 0}
    for some in captions:
        for caption in some:
            numbers.setdefault(caption, len(numbers))
    texts = list(numbers)
    found = [words(texts[start : start + CHUNK]) for start in range(0, len(texts), CHUNK)]
    tensors = _banked(found)
    tensors["captions"] = torch.tensor([numbers[caption] for some in captions for caption in some])
    tensors["starts"] = torch.tensor([0, *(len(some) for some in captions)]).cumsum(0)
    return _write(path, tensors)


def _banked(found: Sequence[TextStates]) -> dict[str, Tensor]:
    rows, lengths = [], [0]
    for part in found:
        for index, states in enumerate(part.states):
            keep = None if part.keep is None else part.keep[index]
            rows.append(states if keep is None else states[keep])
            lengths.append(len(rows[-1]))
    tensors = {
        "rows": torch.cat(rows).half(),
        "edges": torch.tensor(lengths).cumsum(0),
        "shape": torch.tensor([max(lengths), int(found[0].keep is not None)]),
    }
    if found[0].pooled is not None:
        tensors["pooled"] = torch.cat([part.pooled for part in found if part.pooled is not None]).half()
    return tensors


def _write(path: Path, tensors: Mapping[str, Tensor]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic(path, overwrite=True) as part:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, part)
    return path
