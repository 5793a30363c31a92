"""Captions for a whole set, from its table and its pictures."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from inkwash.errors import DataError
from inkwash.training.captions import described, variants
from inkwash.training.data import Pictures
from inkwash.training.paraphrases import paraphrases

COLUMNS = frozenset({"key", "class", "breed", "coat"})


@dataclass(frozen=True)
class CaptionSet:
    """For every key of a set, what the predictor reads, and what the text encoder reads besides."""

    variants: Mapping[str, tuple[str, ...]]
    paraphrases: Mapping[str, tuple[str, ...]]

    def for_text(self) -> Mapping[str, tuple[str, ...]]:
        """Both together."""
        return {key: said + self.paraphrases[key] for key, said in self.variants.items()}


def read_table(path: Path) -> Mapping[str, Mapping[str, str]]:
    """A CSV with the columns key, class, breed and coat, by key.  Raises DataError."""
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(f"cannot read {path}: {error}") from None
    if missing := COLUMNS - set(rows[0] if rows else ()):
        raise DataError(f"{path} lacks the column {min(missing)}")
    return {row["key"]: row for row in rows}


def caption_set(
    pictures: Pictures, table: Mapping[str, Mapping[str, str]], logits: Float[Tensor, "n 1000"] | None = None
) -> CaptionSet:
    """Say every picture of a set in several ways; `logits` of an ImageNet classifier tell kinds of cats apart.

    Raises DataError for a picture that the table does not know.
    """
    rows = [_row(table, key) for key in pictures.keys]
    facts = described(rows, pictures.pixels, logits)
    salts = [int(key) if key.isdecimal() else place for place, key in enumerate(pictures.keys)]
    first = [_first(said) for said in pictures.captions]
    return CaptionSet(
        dict(zip(pictures.keys, map(variants, first, facts, salts), strict=True)),
        dict(zip(pictures.keys, map(paraphrases, facts, salts), strict=True)),
    )


def _row(table: Mapping[str, Mapping[str, str]], key: str) -> Mapping[str, str]:
    if key not in table:
        raise DataError(f"the table has no line for the picture {key}")
    return table[key]


def _first(captions: Sequence[str]) -> str:
    return captions[0] if captions else ""
