"""From pressing Enter to a picture on the disk: processes started from nothing."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.models import toy
from benchmarks.report import Section
from benchmarks.settings import Settings
from benchmarks.timing import Times, alternated
from inkwash.weights.bundle import save_bundle


def measure(settings: Settings) -> Section:
    """`inkwash paint`, and what of it is Python, torch and the command line by themselves."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        times = alternated(commands(settings, folder), settings.starts)
    paint = times["inkwash paint, one picture"]
    return Section(
        "Painting, cold",
        f"Seconds from the start of the process to its end, files in the system's cache; median of {settings.starts}. "
        "The lines above the last are what it cannot be faster than.",
        ("process", "seconds", "range", "part of painting"),
        tuple(row(name, each, paint) for name, each in times.items()),
    )


def commands(settings: Settings, folder: Path) -> dict[str, Callable[[], object]]:
    """The processes to start, by name; pictures go to `folder`."""
    painted = [*main("paint"), "a photo of a cat", "--seed", "0", "--steps", str(settings.steps)]
    if settings.model is None:
        save_bundle(folder / "toy", toy())
        painted += ["--model", str(folder / "toy")]
    return {
        "python": started([sys.executable, "-c", "pass"], folder),
        "import torch": started([sys.executable, "-c", "import torch"], folder),
        "inkwash --help": started(main("--help"), folder),
        "inkwash paint, one picture": started(painted, folder),
    }


def main(*words: str) -> list[str]:
    """The command line as a process."""
    return [sys.executable, "-c", "import sys; from inkwash.cli.main import main; sys.exit(main())", *words]


def started(command: Sequence[str], folder: Path) -> Callable[[], object]:
    """A function that runs the command to its end in `folder`; it raises if the command fails."""
    return lambda: subprocess.run(command, cwd=folder, check=True, capture_output=True)


def row(name: str, mine: Times, paint: Times) -> tuple[str, ...]:
    """One process."""
    return (name, f"{mine.seconds:.2f}", mine.spread, f"{mine.seconds / paint.seconds:.0%}")
