"""Where the work is done and in which precision: chosen once, passed down, never global."""

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

    def autocast(self) -> torch.autocast:
        """Matrix products in `dtype`, sums and norms in float32."""
        return torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32)


DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def compute(device: str = "auto", dtype: str = "float32") -> Compute:
    """Resolve the user's words; `auto` takes an accelerator where there is one.

    Raises InvalidRequest for a device that is not there or an unknown dtype.
    """
    if dtype not in DTYPES:
        raise InvalidRequest("dtype", dtype, f"one of {', '.join(DTYPES)}")
    return Compute(_device(device), DTYPES[dtype])


def _device(name: str) -> torch.device:
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = next((choice for choice in ("cuda", "mps") if present[choice]), "cpu")
    if not present.get(name.split(":")[0], False):
        wanted = ", ".join(choice for choice, there in present.items() if there)
        raise InvalidRequest("device", name, f"one of auto, {wanted} on this machine")
    return torch.device(name)


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
