"""What an evaluation found, and the bars it is held against."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from inkwash.errors import DataError, InkwashError
from inkwash.evaluation.adherence import Adherence
from inkwash.evaluation.distances import Closeness
from inkwash.evaluation.labels import Share
from inkwash.evaluation.memorisation import Copies
from inkwash.evaluation.reconstruction import Fidelity
from inkwash.files import atomic
from inkwash.weights.plain import built, plain


@dataclass(frozen=True)
class Memorisation:
    """Nearest photographs of the training by pixels (RMS at 32²) and by a classifier's features."""

    pixels: Copies
    features: Copies


@dataclass(frozen=True)
class Evaluation:
    """All numbers of a model: so many `pictures` painted, dogs of so many `breeds`.

    Columns of `adherence`: painted; photographs (of the training, same captions); held_out (photographs that training
    never saw); rebuilt (those through the autoencoder). Of `closeness`: painted, photographs and rebuilt, each with
    the same captions as the reference, which is twice as many other photographs of the training. Of
    `reconstruction`: all, cat, dog, on the held-out. Of `memorisation`: painted, held_out.
    """

    model: str
    settings: str
    classifier: str
    pictures: int
    breeds: int
    seconds_per_picture: float
    adherence: Mapping[str, Adherence]
    closeness: Mapping[str, Closeness]
    reconstruction: Mapping[str, Fidelity]
    memorisation: Mapping[str, Memorisation]


@dataclass(frozen=True)
class Bar:
    """A number, and what it must reach (or stay below, if `most`)."""

    name: str
    value: float | None
    wanted: float
    most: bool = False
    unit: str = " %"

    @property
    def met(self) -> bool:
        """Whether the bar is cleared."""
        if self.value is None:
            return False
        return self.value < self.wanted if self.most else self.value >= self.wanted


def bars(found: Evaluation) -> tuple[Bar, ...]:
    """The bars of the shipped model."""
    painted, photographs = found.adherence["painted"], found.adherence["photographs"]
    rebuilt, copied = found.reconstruction["all"], found.memorisation["painted"]
    relative = _ratio(painted.breeds.top5, photographs.breeds.top5)
    return (
        Bar("cat prompts that show a cat", _percent(painted.cats), 99.0),
        Bar("dog prompts that show a dog", _percent(painted.dogs), 99.0),
        Bar("eight named breeds, first of 1,000 answers", _percent(painted.named.top1), 75.0),
        Bar("eight named breeds, first five answers", _percent(painted.named.top5), 93.0),
        Bar("all breeds, first five, relative to photographs", _percent(relative), 70.0),
        Bar("autoencoder, PSNR on held-out photographs", rebuilt.psnr, 24.5, unit=" dB"),
        Bar("autoencoder, first answer stays in the first five", _percent(rebuilt.top5_kept), 95.0),
        Bar("copies of the training, by pixels", _percent(copied.pixels.rate), 1.0, most=True),
        Bar("copies of the training, by features", _percent(copied.features.rate), 1.0, most=True),
    )


def write_json(found: Evaluation, path: Path, *, overwrite: bool = False) -> None:
    """The evaluation and its bars as JSON.  Raises OutputError."""
    told = {"evaluation": plain(found), "bars": [plain(bar) | {"met": bar.met} for bar in bars(found)]}
    with atomic(path, overwrite=overwrite) as part:
        part.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> Evaluation:
    """What `write_json` wrote.  Raises DataError for anything else."""
    try:
        return built(Evaluation, json.loads(path.read_text("utf-8"))["evaluation"])
    except (OSError, ValueError, KeyError, TypeError, InkwashError) as error:
        raise DataError(f"{path} is not an evaluation: {error}") from None


def _percent(share: Share) -> float | None:
    return None if share is None else 100 * share


def _ratio(share: Share, whole: Share) -> Share:
    return None if share is None or not whole else share / whole
