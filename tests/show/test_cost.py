"""Counting against closed forms, measuring against what must be larger."""

import os
import subprocess
import sys
from functools import partial

import pytest
import torch

from inkwash.predictor.spec import TINY
from inkwash.show import cost
from inkwash.show.cost import Cost, apart, measured, operations, resident
from inkwash.show.spaces import step_cost


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_a_product_of_matrices_takes_two_operations_per_pair(device: str) -> None:
    layer = torch.nn.Linear(30, 50, bias=False, device=device)
    assert operations(lambda: layer(torch.zeros(7, 30, device=device))) == 2 * 7 * 30 * 50


def test_a_convolution_takes_two_operations_per_weight_and_place() -> None:
    layer = torch.nn.Conv2d(4, 8, 3, padding=1, bias=False, device="meta")
    assert operations(lambda: layer(torch.zeros(1, 4, 16, 16, device="meta"))) == 2 * 4 * 8 * 9 * 256


def test_attention_is_counted() -> None:
    """Two products of n x n x width each, which the fused kernel of the CPU would hide."""
    heads = torch.zeros(1, 2, 64, 16, device="meta")
    counted = operations(lambda: torch.nn.functional.scaled_dot_product_attention(heads, heads, heads))
    assert counted == 2 * 2 * 64 * 64 * 32


def test_the_quickest_call_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 0.9, 1.0, 1.25, 2.0, 3.0])  # calls of 0.9, 0.25 and 1 s
    monkeypatch.setattr(cost.time, "perf_counter", lambda: next(clock))
    calls = []
    found = measured(lambda: calls.append(1), counted=5)
    assert len(calls) == 3
    assert found.operations == 5
    assert found.seconds == pytest.approx(0.25)


@pytest.mark.skipif(not cost.CLEAR.exists(), reason="only Linux tells the peak of a process")
def test_memory_is_what_the_call_takes() -> None:
    size = 64 * 2**20
    program = f"from inkwash.show.cost import measured; print(measured(lambda: bytearray(b'1') * {size}, 0).memory)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert int(told) == pytest.approx(size, rel=0.1)  # a process of its own: another may have memory to spare
    assert resident("VmRSS") > 0


def test_larger_pictures_cost_more() -> None:
    small, large = step_cost(TINY, (4, 8, 8)), step_cost(TINY, (4, 64, 64))
    assert large.operations > 50 * small.operations
    assert large.seconds > small.seconds


def test_work_is_done_in_another_process() -> None:
    assert apart(os.getpid) != os.getpid()


def test_a_network_is_measured_in_another_process() -> None:
    found = apart(partial(step_cost, TINY, (4, 8, 8)))
    assert isinstance(found, Cost)
    assert found.operations == step_cost(TINY, (4, 8, 8)).operations
    assert found.seconds > 0


def test_a_killed_process_is_an_answer() -> None:
    with pytest.raises(MemoryError, match="not enough memory"):
        apart(partial(os._exit, 1))
