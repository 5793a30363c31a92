"""A run that is killed again and again ends as if nothing had happened, to the last bit."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).with_name("killed.py")


def test_killed_at_many_moments_the_run_ends_bit_for_bit_the_same(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), str(tmp_path), "24"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 20  # kills that met a living process
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    assert (torn / "log.jsonl").read_bytes() == (whole / "log.jsonl").read_bytes()
    assert (torn / "predictor.safetensors").read_bytes() == (whole / "predictor.safetensors").read_bytes()
    last = sorted((whole / "checkpoints").iterdir())[-1].name
    for name in ("model", "optimizer", "averages"):
        file = f"checkpoints/{last}/{name}.safetensors"
        assert (torn / file).read_bytes() == (whole / file).read_bytes()
    assert not list((torn / "checkpoints").glob(".stage*"))
