import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.cold import row, started
from benchmarks.timing import Times


def test_a_process_runs_in_the_folder(tmp_path: Path) -> None:
    started([sys.executable, "-c", "open('here', 'w')"], tmp_path)()
    assert (tmp_path / "here").exists()


def test_a_process_that_fails_is_not_a_time(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        started([sys.executable, "-c", "raise SystemExit(2)"], tmp_path)()


def test_a_row_tells_its_part_of_the_whole() -> None:
    assert row("import torch", Times((1.0,)), Times((4.0,))) == ("import torch", "1.00", "1–1", "25%")
