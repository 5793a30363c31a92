"""Control-LoRAs: a ControlNet as a change of low rank to the way down of the model that it steers.  (Stability AI 2023)

A file holds `up` and `down` for every matrix and kernel that a ControlNet shares with its U-Net, and whole tensors for
all else: norms, biases, the encoder of hints, the last convolutions. What it does not hold is as in the U-Net.
"""

from collections.abc import Mapping
from dataclasses import replace
from math import prod

import torch
from torch import Tensor

from inkwash.nn.resting import whole
from inkwash.predictor.controlnet import ControlNet
from inkwash.predictor.unet import UNet
from inkwash.weights.containers.source import Slot, Source
from inkwash.weights.deltas import LowRank
from inkwash.weights.names import unet
from inkwash.weights.names.recipe import recast
from inkwash.weights.packed import Packed, packed_weights
from inkwash.weights.waking import awake

MARKER = "lora_controlnet"
"""The empty tensor that says what a file is."""
FIRST = "conv_in.weight"


def control_lora(source: Source, base: UNet) -> ControlNet:
    """The ControlNet that `source` makes of `base`, which stays as it is.  Raises WeightsError that lists misfits."""
    part = source.renamed({name: name for name in source.slots if name != MARKER})
    part = replace(part, what=f"{source.what}, built on this model,")
    if any(name.startswith("input_hint_block.") for name in part.slots):
        part = recast(part, unet.to_diffusers(list(part.slots)))
    known = base.spec.channels_in
    channels = min(known, _channels(part, FIRST) or _channels(part, "conv_in.down") or known)
    hints = _channels(part, "controlnet_cond_embedding.conv_in.weight") or 3
    spec = replace(base.spec, channels_in=channels)

    def make() -> ControlNet:
        return ControlNet(spec, hints)

    with torch.device("meta"):
        wanted = {name: tuple(weight.shape) for name, weight in make().state_dict().items()}
    return awake(make, built_on(part, weights_of(base, channels), wanted))


def weights_of(network: UNet, channels: int) -> dict[str, Tensor | Packed]:
    """Weights by name, as they are kept; of the first layer those of the first `channels` (inpainting has more)."""
    found: dict[str, Tensor | Packed] = {name: weight.detach() for name, weight in network.named_parameters()}
    first = found[FIRST]
    return found | {FIRST: first if isinstance(first, Packed) else first[:, :channels]} | dict(packed_weights(network))


def built_on(part: Source, base: Mapping[str, Tensor | Packed], wanted: Mapping[str, tuple[int, ...]]) -> Source:
    """All tensors of a ControlNet; those that come of the base are added up when they are read, in float32."""
    pairs = {
        f"{stem}.weight": stem
        for stem in (name.removesuffix(".up") for name in part.slots if name.endswith(".up"))
        if f"{stem}.down" in part.slots and f"{stem}.weight" not in part.slots
    }
    ends = {f"{stem}.{end}" for stem in pairs.values() for end in ("up", "down")}
    slots = {name: slot for name, slot in part.slots.items() if name not in ends}
    slots |= {name: Slot("F32", _shape(part, stem, wanted.get(name, ()))) for name, stem in pairs.items()}
    slots |= {name: Slot("F32", tuple(base[name].shape)) for name in wanted if name in base and name not in slots}

    def fetch(name: str) -> Tensor:
        if name in part.slots:
            return part[name]
        kept = base.get(name, torch.zeros(slots[name].shape))
        weight = kept.fetch() if isinstance(kept, Packed) else whole(kept)
        if name not in pairs:
            return weight
        up, down = (part[f"{pairs[name]}.{end}"] for end in ("up", "down"))
        return weight + LowRank(up, down)(slots[name].shape).to(weight.device)

    return replace(part, slots=slots, fetch=fetch, rests=False)


def _shape(part: Source, stem: str, wanted: tuple[int, ...]) -> tuple[int, ...]:
    """Of the product: as wanted if it has as many rows and columns, else as the file tells it."""
    up, down = part.shape(f"{stem}.up"), part.shape(f"{stem}.down")
    if not up or not down or prod(up[1:]) != down[0]:
        return (*up, *down)  # of no weight: it will be refused
    return wanted if wanted and (up[0], prod(down[1:])) == (wanted[0], prod(wanted[1:])) else (up[0], *down[1:])


def _channels(part: Source, name: str) -> int:
    """That a convolution looks at; 0 if the file does not say."""
    kernel = part.shape(name)
    return kernel[1] if len(kernel) == 4 else 0
