import subprocess
import sys
from itertools import product

import pytest
import torch

from benchmarks.models import toy
from benchmarks.sampling import painter, row
from benchmarks.settings import dtypes
from benchmarks.timing import Times
from inkwash.request.generate import GenerateRequest

NAMES = ("diffusers", "inkwash")


def test_a_painter_paints_the_request() -> None:
    torch.manual_seed(0)
    paintings = painter(toy(), "float32", GenerateRequest(prompt="a photo of a cat", seed=0, count=2))()
    assert isinstance(paintings, list)
    assert [painting.image.size for painting in paintings] == [(32, 32)] * 2


def test_a_row_tells_seconds_and_the_ratio() -> None:
    times = {"diffusers, float32": Times((2.0, 3.0)), "inkwash, float32": Times((1.0, 2.0))}
    assert row("inkwash, float32", times, 3) == ("inkwash, float32", "1.50", "1–2", "2.00", "1.75 ×")


def test_both_networks_paint() -> None:
    """In a process of its own: diffusers' network stands where only ours is meant to."""
    pytest.importorskip("diffusers", reason="comes with the extra `bench`", exc_type=ImportError)
    command = [sys.executable, "-m", "benchmarks", "--quick", "--only", "sampling"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert all(f"| {name}, {dtype} |" in told for name, dtype in product(NAMES, dtypes()))
