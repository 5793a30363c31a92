"""Painting before the user's eyes: a bar while it goes, a preview when it is done."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from inkwash.cli.progress import bar
from inkwash.pipeline.batch import Batch
from inkwash.pipeline.engine import Engine
from inkwash.pipeline.film import Film
from inkwash.pipeline.painting import Painting
from inkwash.pipeline.start import walked


def painted(engine: Engine, batches: Sequence[Batch], film: Film | None = None) -> Iterator[list[Painting]]:
    """The paintings of one batch after the other; `film` sees the steps of the first."""
    total, done, begun = sum(walked(batch.shared) for batch in batches), 0, time.monotonic()
    with bar("painting", total) as line:
        for batch in batches:
            for step in engine.steps(batch):
                if film is not None and batch is batches[0]:
                    film.add(step)
                done += 1
                line.at(min(done, total), pace(done, time.monotonic() - begun))  # steps taken twice are more
            line.at(done, "decoding")
            yield engine.finish(batch, step.x)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let `count` threads share every sum inside the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def pace(done: int, seconds: float) -> str:
    """Steps per second, or seconds per step where that is the larger number."""
    each = seconds / done
    return f"{each:.2f} s/step" if each > 1 else f"{1 / max(each, 1e-9):.2f} steps/s"


def said(line: str) -> None:
    """A remark on standard error."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201
