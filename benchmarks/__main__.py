"""`python -m benchmarks`: measure, print, and keep the result as benchmarks/results/DATE-what-hardware.md."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import tyro

from benchmarks import cold, machine, sampling, training
from benchmarks.report import Section, keep, page
from benchmarks.settings import FULL, QUICK, Settings

Question = Literal["training", "sampling", "cold"]
QUESTIONS: dict[Question, Callable[[Settings], Section]] = {
    "training": training.measure,
    "sampling": sampling.measure,
    "cold": cold.measure,
}


@dataclass(frozen=True)
class Options:
    """Which questions to ask, and how thoroughly."""

    only: tuple[Question, ...] = ("training", "sampling", "cold")
    """Questions to ask."""
    quick: bool = False
    """Tiny networks and few rounds: proves that the benchmark works, and is not kept."""
    folder: Path = Path(__file__).parent / "results"
    """Where the result goes."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure one question after the other."""
    options = tyro.cli(Options, args=arguments, description=__doc__)
    before = machine.described()
    sections = [QUESTIONS[question](QUICK if options.quick else FULL) for question in options.only]
    text = page(date.today().isoformat(), before, sections)
    print(text)
    if not options.quick:
        name = f"{date.today().isoformat()}-{'-'.join(options.only)}-{machine.slug()}.md"
        keep(text, options.folder / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
