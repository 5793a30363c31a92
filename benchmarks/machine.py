"""What the numbers were measured on."""

import os
import platform
import re
from pathlib import Path

import torch


def described() -> str:
    """One line: processor, cores, threads, versions, and how busy the machine was before."""
    busy = f"{os.getloadavg()[0]:.1f} processes were running before" if hasattr(os, "getloadavg") else "load unknown"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{processor()}, {cores} cores, {torch.get_num_threads()} threads, {platform.system()}, "
        f"Python {platform.python_version()}, torch {torch.__version__}; {busy}"
    )


def processor() -> str:
    """The processor's own name, where the system tells it."""
    told = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*: (.+)$", told.read_text(), re.MULTILINE) if told.exists() else None
    return found[1].strip() if found else platform.processor() or platform.machine()


def slug() -> str:
    """The processor for a file name."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return re.sub(r"[^a-z0-9]+", "-", f"{processor()} {cores} cores".lower()).strip("-")
