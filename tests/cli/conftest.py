"""The command line as a user runs it, in a process of its own and in ours."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from inkwash.cli.main import main


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def paths(self) -> list[Path]:
        return [Path(line) for line in self.out.splitlines()]


Inkwash = Callable[..., Answer]


@pytest.fixture
def inkwash(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Inkwash:
    """Run the command line in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("INKWASH_TRACEBACK", raising=False)

    def run(*words: str | Path) -> Answer:
        capsys.readouterr()
        code = main([str(word) for word in words])
        return Answer(code, *capsys.readouterr())

    return run


@pytest.fixture
def process(tmp_path: Path) -> Inkwash:
    """Run the command line in a process of its own, in an empty folder."""
    clean = {key: value for key, value in os.environ.items() if key != "INKWASH_TRACEBACK"}

    def run(*words: str | Path, before: Callable[[], None] | None = None) -> Answer:
        command = [sys.executable, "-m", "inkwash", *map(str, words)]
        done = subprocess.run(
            command, cwd=tmp_path, env=clean, capture_output=True, text=True, check=False, preexec_fn=before
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    return run
