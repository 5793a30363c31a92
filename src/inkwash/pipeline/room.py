"""Whether painting fits the memory that is free, and what is done where it does not.

What is needed beside the weights is reckoned from the widest maps; the factors were measured on a CPU in float32
(`python -m benchmarks.memory`), and rounded up.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from math import prod

from inkwash.device import Compute
from inkwash.latent.autoencoder import Autoencoder
from inkwash.pipeline.batch import MOST
from inkwash.predictor.mmdit import MMDiT
from inkwash.ram import GIGA, UNLIMITED, free_memory
from inkwash.request.generate import GenerateRequest
from inkwash.weights.bundle import Bundle

LOG = logging.getLogger(__name__)
FLOAT = 4
MAPS = {"unet": 30, "mmdit": 40, "decoder": 5}
"""Maps as large as the widest that are in memory at once: of the U-Net's first stage, of a transformer's tokens, of
the second stage of an autoencoder at full size."""
TOGETHER = 4
"""Pictures that are decoded at once where there is room."""


def room_for(compute: Compute) -> int:
    """Bytes to do with; on an accelerator, which has memory of its own, only what the user said."""
    if compute.room is not None:
        return compute.room
    return free_memory() if compute.device.type == "cpu" else UNLIMITED


def fitted(requests: Sequence[GenerateRequest], bundle: Bundle, room: int) -> tuple[list[GenerateRequest], int]:
    """Resolved requests, their memory options answered where all at once would not do, and how many pictures go
    together."""
    done = [_answered(request, bundle, room) for request in requests]
    most = min((_together(request, bundle, room) for request in done), default=MOST)
    words = {"decoding in tiles": any(one.memory.tiled for one in done)}
    words["guidance in turn"] = any(one.memory.in_turn for one in done)
    words[f"{most} at a time"] = most < min(MOST, sum(request.count for request in requests))
    if done != list(requests) or words[f"{most} at a time"]:
        LOG.warning("memory is short, %.2f GB: %s", room / GIGA, ", ".join(each for each in words if words[each]))
    return done, most


def area(asked: GenerateRequest, bundle: Bundle) -> int:
    """Pixels of one picture, in the larger of its passes."""
    size = asked.width or 0, asked.height or 0
    return prod(size if not asked.hires.acts else map(max, size, asked.hires.size(size, bundle.multiple)))


def row_bytes(asked: GenerateRequest, bundle: Bundle) -> int:
    """What one picture takes in the predictor, for one of its two guesses."""
    spec, factor = bundle.predictor.spec, bundle.autoencoder.spec.factor
    places = area(asked, bundle) // factor**2
    if isinstance(bundle.predictor, MMDiT):
        return FLOAT * MAPS["mmdit"] * bundle.predictor.spec.width * (places // bundle.predictor.spec.patch**2)
    return FLOAT * MAPS["unet"] * places * spec.stages[0].channels  # type: ignore[union-attr]


def decoding_bytes(asked: GenerateRequest, bundle: Bundle) -> int:
    """What one picture takes in the decoder."""
    if not isinstance(bundle.autoencoder, Autoencoder):
        return FLOAT * area(asked, bundle) * 64 * 3
    spec = bundle.autoencoder.spec
    places = area(asked, bundle) // spec.patch**2
    return FLOAT * MAPS["decoder"] * places * spec.channels[min(1, len(spec.channels) - 1)]


def _answered(asked: GenerateRequest, bundle: Bundle, room: int) -> GenerateRequest:
    said = asked.memory
    decoded = min(asked.count, TOGETHER) * decoding_bytes(asked, bundle)
    if said.tiled is None and decoded > room and isinstance(bundle.autoencoder, Autoencoder):
        said = replace(said, tiled=True)
    if said.in_turn is None and (asked.guidance or 1) != 1 and 2 * row_bytes(asked, bundle) > room:
        said = replace(said, in_turn=True)
    return replace(asked, memory=said)


def _together(asked: GenerateRequest, bundle: Bundle, room: int) -> int:
    rows = 1 if asked.memory.in_turn or (asked.guidance or 1) == 1 else 2
    return max(1, min(MOST, room // max(1, rows * row_bytes(asked, bundle))))
