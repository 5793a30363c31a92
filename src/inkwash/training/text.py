"""The text encoder learns what words look like: a small CLIP against a frozen ImageNet network.  (Radford et al. 2021)

Captions are drawn apart from pictures: a picture is right for every caption in its list, so few captions (costly) meet
many pictures (cheap, their features are computed once).
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path

import torch
from jaxtyping import Bool, Float, Int, UInt8
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from inkwash.files import atomic
from inkwash.nn.imagenet import ImageNet
from inkwash.text.encoder import PETS_TEXT, TextEncoder, TextSpec
from inkwash.text.tokenizer import Tokenizer
from inkwash.training.clip import MiniClip, contrast

BLANK = 0  # the number of the empty caption, which is right for every picture


@dataclass(frozen=True)
class TextRecipe:
    """How a text encoder is taught."""

    spec: TextSpec = PETS_TEXT
    """Vocabulary and end token follow from the captions: `spec.vocabulary` is the most there may be."""
    steps: int = 400
    captions: int = 128
    """Different captions per step."""
    pictures: int = 1024
    """Pictures per step; at least `captions`."""
    rate: float = 1e-3
    warmup: int = 30
    decay: float = 0.05
    clip: float = 1.0
    """Largest norm of the gradient."""
    seed: int = 0


@dataclass(frozen=True)
class TextProgress:
    """One step of the lesson."""

    step: int
    loss: float
    temperature: float


@dataclass(frozen=True)
class CaptionTable:
    """Every different caption once, and which of them each picture has."""

    texts: tuple[str, ...]
    of_picture: Int[Tensor, "pictures most"]
    """Numbers of a picture's captions, filled up with -1."""

    @classmethod
    def of(cls, captions: Sequence[Sequence[str]]) -> "CaptionTable":
        """From a list of captions per picture."""
        texts = ("", *sorted({text for several in captions for text in several} - {""}))
        number = {text: index for index, text in enumerate(texts)}
        most = max(map(len, captions))
        rows = [[number[text] for text in several] + [-1] * (most - len(several)) for several in captions]
        return cls(texts, torch.tensor(rows))

    def draw(self, pictures: Int[Tensor, " k"], dice: torch.Generator) -> Int[Tensor, " k"]:
        """One caption of each picture, all of its captions being as likely."""
        rows = self.of_picture[pictures]
        counts = (rows >= 0).sum(dim=1)
        pick = (torch.rand(len(rows), generator=dice) * counts).long()
        return rows.gather(1, pick[:, None])[:, 0]

    def fits(self, captions: Int[Tensor, " k"], pictures: Int[Tensor, " n"]) -> Bool[Tensor, "k n"]:
        """Whether a caption is right for a picture."""
        has = (self.of_picture[pictures][None] == captions[:, None, None]).any(dim=2)
        return has | (captions == BLANK)[:, None]


@dataclass(frozen=True)
class TextLesson:
    """A text encoder with all it is taught from. `tokenizer` and `clip.text` are what comes out."""

    recipe: TextRecipe
    tokenizer: Tokenizer
    clip: MiniClip
    table: CaptionTable
    features: Float[Tensor, "n width"]

    @classmethod
    def prepare(
        cls, features: Float[Tensor, "n width"], captions: Sequence[Sequence[str]], recipe: TextRecipe
    ) -> "TextLesson":
        """Learn the tokens and draw the first weights."""
        table = CaptionTable.of(captions)
        tokenizer = Tokenizer.train(table.texts, recipe.spec.vocabulary, recipe.spec.tokens)
        spec = replace(recipe.spec, vocabulary=len(tokenizer), end=tokenizer.end)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            clip = MiniClip(spec, features)
        return cls(recipe, tokenizer, clip, table, features)

    def run(self) -> Iterator[TextProgress]:
        """Teach, a step at a time; the caller drives."""
        recipe, tokens = self.recipe, self.tokenizer.encode(self.table.texts)
        teacher = torch.optim.AdamW(self.clip.parameters(), lr=recipe.rate, weight_decay=recipe.decay)
        for step in range(recipe.steps):
            dice = torch.Generator().manual_seed(recipe.seed * 1_000_003 + step)
            for group in teacher.param_groups:
                group["lr"] = recipe.rate * pace(step, recipe.steps, recipe.warmup)
            loss = self._loss(tokens, dice)
            teacher.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.clip.parameters(), recipe.clip)
            teacher.step()
            self.clip.sharpness.data.clamp_(max=math.log(100))
            yield TextProgress(step, loss.item(), math.exp(-self.clip.sharpness.item()))

    def _loss(self, tokens: Tensor, dice: torch.Generator) -> Tensor:
        pictures = torch.randperm(len(self.features), generator=dice)[: self.recipe.pictures]
        drawn = self.table.draw(pictures[: self.recipe.captions], dice)
        captions = torch.cat([torch.tensor([BLANK]), drawn[drawn != BLANK].unique()])
        seen, said = self.clip.pictures(self.features[pictures]), self.clip.texts(tokens[captions])
        return contrast(self.clip.sharpness.exp() * said @ seen.T, self.table.fits(captions, pictures))


def pace(step: int, steps: int, warmup: int) -> float:
    """Share of the learning rate: up in a line, down in half a cosine."""
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


@torch.no_grad()
def picture_features(
    pictures: UInt8[Tensor, "n 3 h w"], eyes: ImageNet, cache: Path | None = None
) -> Float[Tensor, "n 1280"]:
    """The frozen network's last features at the pictures' own size; kept in the folder `cache`, named by content."""
    name = sha256(pictures.numpy().tobytes()).hexdigest()[:16] if cache else ""
    kept = cache / f"features-{name}.safetensors" if cache else None
    if kept and kept.exists():
        return load_file(kept)["features"]
    parts = [eyes.body.extract_features(part.float() / 127.5 - 1).mean((2, 3)) for part in pictures.split(64)]  # type: ignore[operator]
    features = torch.cat(parts)
    if kept:
        with atomic(kept, overwrite=True) as part:
            save_file({"features": features}, part)
    return features


def save_text(folder: Path, tokenizer: Tokenizer, encoder: TextEncoder) -> None:
    """Write text.safetensors, tokenizer.json and spec.json; replaces what is there."""
    tokenizer.save(folder / "tokenizer.json")
    with atomic(folder / "text.safetensors", overwrite=True) as part:
        save_file({name: value.contiguous() for name, value in encoder.state_dict().items()}, part)
    with atomic(folder / "spec.json", overwrite=True) as part:
        part.write_text(json.dumps(asdict(encoder.spec), indent=2) + "\n")


@torch.no_grad()
def nearest(
    lesson: TextLesson, captions: Sequence[str], features: Float[Tensor, "n width"], best: int = 1
) -> Int[Tensor, "n best"]:
    """For every picture the numbers of the `best` captions that it is closest to, the closest first."""
    texts = lesson.clip.texts(lesson.tokenizer.encode(captions))
    return (lesson.clip.pictures(features) @ texts.T).topk(best, dim=1).indices
