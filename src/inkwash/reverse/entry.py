"""Ways down that begin or end on the way: starts from pictures, and networks that share the way."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from jaxtyping import Float
from torch import Tensor

from inkwash.errors import InvalidRequest
from inkwash.forward.schedule import STEPS, Schedule
from inkwash.types import Sigmas


def nearest(steps: int, strength: float) -> tuple[int, int]:
    """Inkwash: of `steps` about `strength` are walked, and one at least."""
    return steps, min(steps - round(steps * strength), steps - 1)


def whole(steps: int, strength: float) -> tuple[int, int]:
    """Diffusers: the walked steps are cut to a whole number, which may be 0; asking for it raises InvalidRequest."""
    walked = min(int(steps * strength), steps)
    if not walked:
        raise InvalidRequest("strength", strength, f"at least 1 / {steps}, so that there is a step to walk")
    return steps, steps - walked


def one_more(steps: int, strength: float) -> tuple[int, int]:
    """AUTOMATIC1111's web UI: as `whole`, and one step more."""
    return steps, steps - 1 - int(min(strength, 0.999) * steps)


def stretched(steps: int, strength: float) -> tuple[int, int]:
    """ComfyUI: all `steps` are walked, as the last of steps / strength."""
    planned = int(steps / strength)
    return planned, planned - steps


STARTS: Mapping[str, Callable[[int, float], tuple[int, int]]] = MappingProxyType(
    {"inkwash": nearest, "diffusers": whole, "a1111": one_more, "comfy": stretched}
)
"""(steps asked for, strength > 0) -> steps to plan, and how many of them to leave out at the noisy end."""


def handed_over(
    schedule: Schedule, sigmas: Sigmas, part: float
) -> tuple[Float[Tensor, " first"], Float[Tensor, " second"]]:
    """The levels for a first network that walks `part` of the way in t, and those for a second that goes on.

    The first stops at the level where the second starts: the last of one are the first of the other. (SDXL's base and
    refiner: Podell et al. 2023, 2.5; denoising_end and denoising_start of diffusers.)
    """
    told = schedule.t(sigmas[:-1])
    first = int((told >= round(STEPS - part * STEPS)).sum())
    return sigmas[: first + 1], sigmas[first:]
