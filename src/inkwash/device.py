"""Where the work is done and in which precision: chosen once, passed down, never global."""

import ctypes
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from inkwash.errors import InvalidRequest


@dataclass(frozen=True)
class Compute:
    """A device and the type that its matrix products run in; weights may be stored in another."""

    device: torch.device
    dtype: torch.dtype
    room: int | None = None
    """Bytes of memory to do with; None: what is free."""

    def autocast(self) -> torch.autocast:
        """Matrix products in `dtype`, sums and norms in float32."""
        return torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32)


KEEPING = ((-4, 0), (-1, 2**31 - 1))
"""malloc.h: M_MMAP_MAX, no block is mapped by itself; M_TRIM_THRESHOLD, the heap does not shrink."""
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def compute(device: str = "auto", dtype: str = "float32", room: int | None = None) -> Compute:
    """Resolve the user's words; `auto` takes an accelerator where there is one.

    Raises InvalidRequest for a device that is not there or an unknown dtype.
    """
    if dtype not in DTYPES:
        raise InvalidRequest("dtype", dtype, f"one of {', '.join(DTYPES)}")
    return Compute(_device(device), DTYPES[dtype], room)


def only_float32() -> bool:
    """Does this processor merely imitate shorter floats?  Without AVX-512 an x86 one does, tens of times slower."""
    return torch.backends.cpu.get_cpu_capability() in ("DEFAULT", "AVX2") and platform.machine() in ("x86_64", "AMD64")


def _device(name: str) -> torch.device:
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = next((choice for choice in ("cuda", "mps") if present[choice]), "cpu")
    if not present.get(name.split(":")[0], False):
        wanted = ", ".join(choice for choice, there in present.items() if there)
        raise InvalidRequest("device", name, f"one of auto, {wanted} on this machine")
    return torch.device(name)


def keep_freed_memory() -> bool:
    """Ask glibc to keep what is freed: every step needs the same large blocks again, and fresh pages cost time.

    A setting of the whole process, for trainings; elsewhere than on glibc nothing happens. Returns whether it did.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    libc = ctypes.CDLL(None)
    return all(libc.mallopt(option, value) for option, value in KEEPING)


@contextmanager
def denormals_flushed() -> Iterator[None]:
    """Numbers too small to be normal become 0 inside: a CPU is a hundred times slower with them than without.

    It is a setting of the whole thread, so it is taken back at the end.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
