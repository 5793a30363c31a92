"""python -m tools.golden DIR: a line per case, and a total; exit 1 if any case fails."""

import importlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from tools.golden import Case, Cases

KINDS = ("schedulers", "unets", "transformers", "pipelines")
"""Modules of this package with a function `cases`; those that do not exist yet are named and skipped."""


def found(folder: Path) -> Iterator[tuple[str, Case]]:
    """Every case in the folder with its kind."""
    for kind in KINDS:
        try:
            cases: Cases = importlib.import_module(f"tools.golden.{kind}").cases
        except ModuleNotFoundError as error:
            if error.name != f"tools.golden.{kind}":
                raise
            print(f"no module for {kind} yet")
            continue
        yield from ((kind, case) for case in cases(folder))


def line(kind: str, case: Case) -> tuple[str, str]:
    """What became of a case: one of passed, failed, missing; and the line that tells it."""
    begun = time.monotonic()
    try:
        verdict = case.run()
    except NotImplementedError as error:
        return "missing", f"MISS {kind}:{case.name}  {error}"
    except Exception as error:
        return "failed", f"FAIL {kind}:{case.name}  {type(error).__name__}: {error}"
    word = "pass" if verdict.passed else "FAIL"
    seconds = time.monotonic() - begun
    told = f"{word} {kind}:{case.name}  {verdict.error:.2e} of {verdict.bar:.0e}  {seconds:.1f} s  {verdict.note}"
    return ("passed" if verdict.passed else "failed"), told.rstrip()


def main(folder: Path) -> int:
    """Run every case of a folder."""
    torch.set_num_threads(1)
    counts = {"passed": 0, "failed": 0, "missing": 0}
    for kind, case in found(folder):
        outcome, told = line(kind, case)
        counts[outcome] += 1
        print(told, flush=True)
    print(", ".join(f"{count} {word}" for word, count in counts.items()))
    return 0 if counts["passed"] and not counts["failed"] and not counts["missing"] else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
