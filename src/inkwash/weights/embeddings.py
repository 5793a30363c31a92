"""Textual inversion: a word that stands for vectors found by training.

Seen are {"<word>": vectors} (diffusers), emb_params (web UIs), clip_l and clip_g (SDXL), string_to_param.* (pickles,
through `inkwash convert`), and bundle_emb.{word}.* inside a LoRA.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from inkwash.errors import InvalidRequest, WeightsError
from inkwash.text.conditioning import Conditioner
from inkwash.text.towers import ThreeReaders, TwoReaders
from inkwash.weights.containers.source import Source

WIDTHS: Mapping[int, str] = {768: "clip_l", 1024: "open_clip_h", 1280: "clip_g"}
"""The encoder by the width of its vectors."""
GIVEN = ("clip_l", "clip_g")
STRING = "string_to_param."
MOST_VECTORS = 1024
BUNDLED = "bundle_emb."


@dataclass(frozen=True)
class Embedding:
    """Vectors that take the place of a word, for every text encoder that has some."""

    word: str
    vectors: Mapping[str, Tensor]
    """(n, width) by encoder: clip_l, open_clip_h or clip_g; n tokens follow one another."""


def widths(source: Source) -> dict[str, tuple[int, int]]:
    """Vectors and width for each encoder, from shapes alone; empty if it is no embedding."""
    found: dict[str, tuple[int, int]] = {}
    for name in _candidates(source):
        shape = source.shape(name)
        count, width = (1, *shape) if len(shape) == 1 else shape if len(shape) == 2 else (0, 0)
        encoder = name if name in GIVEN else WIDTHS.get(width, "")
        if not encoder or width not in WIDTHS or not 0 < count <= MOST_VECTORS or encoder in found:
            return {}
        found[encoder] = count, width
    return found


def is_embedding(source: Source) -> bool:
    """Is it textual inversion?"""
    return bool(widths(source))


def read_embedding(source: Source, word: str | None = None) -> Embedding:
    """The vectors, in float32; its word is `word`, or what the file calls it, or the file's own name.

    Raises WeightsError if the file is no textual inversion.
    """
    found = widths(source)
    if not found:
        raise WeightsError(f"{source.what} is no textual inversion: no vectors 768, 1024 or 1280 wide by themselves")
    tensors = [source[name].float() for name in _candidates(source)]
    rows = {encoder: tensor.reshape(found[encoder]) for encoder, tensor in zip(found, tensors, strict=True)}
    return Embedding(word or _word(source), rows)


def bundled(source: Source) -> list[Embedding]:
    """The embeddings that travel inside a LoRA: bundle_emb.{word}.{what a file of its own would hold}."""
    words = dict.fromkeys(
        name.removeprefix(BUNDLED).rpartition(".")[0] for name in source.slots if name.startswith(BUNDLED)
    )
    return [read_embedding(_inside(source, word), word) for word in words]


@contextmanager
def learning(reader: Conditioner | TwoReaders | ThreeReaders, words: Sequence[Embedding]) -> Iterator[None]:
    """Inside the block prompts may hold these words.  Raises InvalidRequest for one that was learned elsewhere."""
    towers = towers_of(reader) if words else {}
    for word in words:
        if word.vectors.keys() != towers.keys():
            own, other = (" and ".join(sorted(each)) or "no tower" for each in (towers, word.vectors))
            raise InvalidRequest("embeddings", word.word, f"a word for {own}, which this model reads with, not {other}")
    before = {name: tower.embeddings for name, tower in towers.items()}
    try:
        for name, tower in towers.items():
            tower.embeddings = {**tower.embeddings, **{word.word.lower(): word.vectors[name] for word in words}}
            tower.forget()
        yield
    finally:
        for name, tower in towers.items():
            tower.embeddings = before[name]
            tower.forget()


def towers_of(reader: Conditioner | TwoReaders | ThreeReaders) -> dict[str, Conditioner]:
    """The towers that words are learned for, under the names of `WIDTHS`; one of another width has none."""
    towers = [reader] if isinstance(reader, Conditioner) else [reader.clip_l, reader.clip_g]
    return {WIDTHS.get(tower.encoder.spec.width, f"a tower {tower.encoder.spec.width} wide"): tower for tower in towers}


def _inside(source: Source, word: str) -> Source:
    part = source.under(f"{BUNDLED}{word}.")
    return part.renamed({STRING + "*" if name == "*" else name: name for name in part.slots})


def _candidates(source: Source) -> list[str]:
    """Names of the tensors that would be the vectors; a file with more than two tensors holds none."""
    params = [name for name in source.slots if name.startswith(STRING)]
    return params or (list(source.slots) if len(source) <= 2 else [])


def _word(source: Source) -> str:
    given = next((name for name in source.slots if name not in (*GIVEN, "emb_params")), "")
    plain = given.removeprefix(STRING)
    return plain if plain not in ("", "*") else Path(source.what).stem
