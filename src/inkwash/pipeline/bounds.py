"""Numbers that run out of bounds: noticed at once, computed once more in float32, told, and never painted black."""

import logging
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from inkwash.device import Compute
from inkwash.errors import WeightsError
from inkwash.reverse.step import Step
from inkwash.types import Pixels

LOG = logging.getLogger(__name__)


def finite(x: Tensor) -> bool:
    """No number is infinite or none at all; most often a sum tells."""
    return bool(x.float().sum().isfinite()) or bool(x.isfinite().all())


def bounded_steps(walk: Callable[[Compute], Iterator[Step]], compute: Compute, name: str) -> Iterator[Step]:
    """The steps of a walk; where their numbers run out of bounds, those of the walk in float32, from its beginning.

    `Engine.finish` finds out by itself whether that was so. Raises WeightsError if float32 does not help.
    """
    for step in walk(compute):
        if not finite(step.x):
            break
        yield step
    else:
        return
    if is_wide(compute):
        raise lost(name)
    LOG.warning("%s: numbers ran out of bounds at step %d; once more in float32", name, step.index + 1)
    for step in walk(widest(compute)):
        if not finite(step.x):
            raise lost(name)
        yield step


def bounded_pixels(decode: Callable[[Compute], Pixels], compute: Compute, name: str) -> tuple[Pixels, bool]:
    """Pixels, and whether it took float32 to decode them.  Raises WeightsError if float32 does not help."""
    pixels = decode(compute)
    if finite(pixels):
        return pixels, False
    if is_wide(compute):
        raise lost(name)
    LOG.warning("%s: numbers ran out of bounds in decoding; once more in float32", name)
    pixels = decode(widest(compute))
    if not finite(pixels):
        raise lost(name)
    return pixels, True


def is_wide(compute: Compute) -> bool:
    """Is there nothing wider to turn to?"""
    return compute.dtype == torch.float32


def widest(compute: Compute) -> Compute:
    """The same place, in float32."""
    return Compute(compute.device, torch.float32, compute.room)


def lost(name: str) -> WeightsError:
    """What to say where there is no picture."""
    return WeightsError(f"{name} lost itself in numbers that are not finite, even in float32: its weights are broken")
