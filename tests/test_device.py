import platform
import subprocess
import sys

import pytest
import torch

from inkwash.device import compute, keep_freed_memory, only_float32
from inkwash.errors import InvalidRequest

PAGES = """
import resource, torch
from inkwash.device import keep_freed_memory
kept = keep_freed_memory()
def faults(): return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20): torch.ones(4, 2**20)
before = faults()
for _ in range(5): torch.ones(4, 2**20)
print(kept, faults() - before)
"""


@pytest.mark.parametrize(
    ("machine", "capability", "only"),
    [
        ("x86_64", "AVX2", True),
        ("AMD64", "DEFAULT", True),
        ("x86_64", "AVX512", False),
        ("aarch64", "DEFAULT", False),
    ],
)
def test_a_processor_without_short_floats_is_not_raced(
    monkeypatch: pytest.MonkeyPatch, machine: str, capability: str, only: bool
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    assert only_float32() is only


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be asked")
def test_freed_memory_stays() -> None:
    told = subprocess.run([sys.executable, "-c", PAGES], capture_output=True, text=True, check=True).stdout.split()
    assert told[0] == "True"
    assert int(told[1]) < 1000  # 16 MB are 4,096 pages a time


def test_elsewhere_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert keep_freed_memory() is False


def test_devices_that_are_not_there_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="device is 'tpu'"):
        compute("tpu")
    with pytest.raises(InvalidRequest, match="dtype is 'int4'"):
        compute("cpu", "int4")
