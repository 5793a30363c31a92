"""What a network costs: operations counted, seconds and memory measured in a process of its own."""

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import torch
from torch.utils.flop_counter import FlopCounterMode

ENOUGH = 1.5
"""Seconds after which a call is not repeated any more."""
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Cost:
    """Of one call."""

    operations: int
    """Multiplications and additions of matrix products and convolutions."""
    seconds: float
    """The quickest call: what else the computer does only ever adds."""
    memory: int
    """Bytes that the first call needed beyond the weights; 0 where the system does not tell."""


def operations(call: Callable[[], object]) -> int:
    """Floating-point operations of matrix products and convolutions; on meta tensors nothing is computed."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        call()
    return int(counter.get_total_flops())


def measured(call: Callable[[], object], counted: int) -> Cost:
    """Seconds and memory of `call`, which has `counted` operations.

    Memory is honest only if nothing larger was ever done in this process: see `apart`.
    """
    forget_peak()
    before = resident("VmRSS")
    with torch.inference_mode():
        times = [_seconds(call)]
        memory = max(resident("VmHWM") - before, 0)
        while sum(times) < ENOUGH and len(times) < 16:
            times.append(_seconds(call))
    return Cost(counted, min(times), memory)


def apart(work: Callable[[], Result]) -> Result:
    """`work()` in a fresh process, so that its peak memory is its own; `work` must be importable, or a partial of such.

    Raises MemoryError if the process was killed, as systems do when memory runs out.
    """
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        try:
            return pool.submit(work).result()
        except BrokenProcessPool:
            raise MemoryError("the process was killed: not enough memory") from None


def resident(field: str) -> int:
    """VmRSS, what this process holds in memory, or VmHWM, the most it held; in bytes, 0 where there is no /proc."""
    if not STATUS.exists():
        return 0
    lines = STATUS.read_text(encoding="ascii").splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(field)), 0)


def forget_peak() -> None:
    """Let VmHWM begin at what is held now, where the system allows."""
    try:
        CLEAR.write_text("5", encoding="ascii")
    except OSError:
        return


def _seconds(call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun
