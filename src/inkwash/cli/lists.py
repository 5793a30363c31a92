"""A list of pictures from a file, painted one batch after the other; what is there already is not painted again."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from zlib import crc32

from inkwash.cli.easel import painted, said
from inkwash.cli.places import Places, slug
from inkwash.device import Compute
from inkwash.errors import InkwashError
from inkwash.metadata.prompt_files import Line
from inkwash.pipeline.batch import Batch, batches
from inkwash.pipeline.engine import Engine
from inkwash.pipeline.painting import Painting
from inkwash.pipeline.resolve import resolved
from inkwash.request.generate import GenerateRequest
from inkwash.request.spelling import spelled
from inkwash.weights.choice import ModelChoice
from inkwash.weights.models import open_model

SHORT = 40
"""Letters of the prompt in a file's name, before the key."""


@dataclass(frozen=True)
class Wanted:
    """One picture of a line, and where it goes."""

    number: int
    path: Path
    request: GenerateRequest


@dataclass(frozen=True)
class Listed:
    """The work on a list.  A bad line is told at once, and the others go on."""

    places: Places
    compute: Compute
    bad: set[int] = field(default_factory=set)
    """Numbers of lines that could not be painted."""

    def paint(self, lines: list[Line]) -> Iterator[list[Painting]]:
        """Every picture that is not there yet, written as soon as its batch is finished."""
        for line in lines:
            if line.wrong is not None:
                self._tell([line.number], str(line.wrong))
        good = [(line, line.request) for line in lines if line.request is not None]
        for choice in dict.fromkeys(request.choice for _, request in good):
            group = [(line, request) for line, request in good if request.choice == choice]
            if engine := self._woken(choice, [line.number for line, _ in group]):
                yield from self._painted(engine, [one for pair in group for one in self._wanted(engine, *pair)])

    def _painted(self, engine: Engine, wanted: list[Wanted]) -> Iterator[list[Painting]]:
        waiting = iter(wanted)
        for batch in batches(one.request for one in wanted):
            together = [next(waiting) for _ in batch.requests]
            try:
                yield self._written(engine, batch, together)
            except InkwashError as error:
                numbers = sorted({one.number for one in together})
                self._tell(numbers, f"line {', '.join(map(str, numbers))}: {error}")

    def _written(self, engine: Engine, batch: Batch, wanted: list[Wanted]) -> list[Painting]:
        (paintings,) = painted(engine, [batch])
        for painting, one in zip(paintings, wanted, strict=True):
            self.places.exactly(one.path, painting.png())
        return paintings

    def _wanted(self, engine: Engine, line: Line, request: GenerateRequest) -> Iterator[Wanted]:
        """The pictures that are not there yet.  A line without a seed takes one from its key: the same at every run."""
        seed = crc32(line.key.encode()) if request.seed in (None, -1) else request.seed
        try:
            whole = [resolved(one, engine.bundle) for one in spelled(replace(request, seed=seed))]
        except InkwashError as error:
            self._tell([line.number], f"line {line.number}: {error}")
            return
        singles = [single for each in whole for single in each.singles()]
        stem = slug(line.key) if line.named else f"{slug(request.prompt)[:SHORT]}-{line.key}"
        for index, single in enumerate(singles, 1):
            path = self.places.out / f"{stem}{f'-{index}' if len(singles) > 1 else ''}.png"
            if not path.exists():
                yield Wanted(line.number, path, single)

    def _woken(self, choice: ModelChoice, numbers: list[int]) -> Engine | None:
        try:
            return Engine(open_model(choice), self.compute)
        except InkwashError as error:
            self._tell(numbers, f"line {', '.join(map(str, numbers))}: {error}")
            return None

    def _tell(self, numbers: list[int], what: str) -> None:
        self.bad.update(numbers)
        said(f"inkwash: {what}")
