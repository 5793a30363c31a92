"""Two or three models into one: weighted, or what a training has added carried over to another model."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from inkwash.errors import InvalidRequest, WeightsError
from inkwash.weights.containers.source import Source
from inkwash.weights.containers.writing import FLOATS
from inkwash.weights.fit import MOST_LISTED
from inkwash.weights.single import MARKERS, NEEDLESS, apart, base_of, together

BLOCK = re.compile(r"(?:model\.diffusion_model\.)?(input_blocks|middle_block|output_blocks|joint_blocks)\.(\d+)\.")
SIDES: Mapping[str, str] = {
    "input_blocks": "IN",
    "middle_block": "MID",
    "output_blocks": "OUT",
    "joint_blocks": "JOINT",
}
TEXTS = ("cond_stage_model.", "conditioner.", "text_encoders.")
FIRST = re.compile(r"(?:model\.diffusion_model\.)?input_blocks\.0\.0\.weight")
"""The first convolution: of an inpainting model it takes more channels than of another."""


@dataclass(frozen=True)
class Blend:
    """How much of the second model."""

    weight: float = 0.5
    """0: none of it; 1: all of it."""
    blocks: Mapping[str, float] = field(default_factory=dict)
    """Other weights for blocks: IN, MID, OUT, JOINT, TEXT, VAE, BASE (the rest), or one block as IN04."""

    def at(self, name: str) -> float:
        """The weight for a tensor of a single file."""
        labels = labels_of(name)
        return next((self.blocks[label] for label in labels if label in self.blocks), self.weight)


def labels_of(name: str) -> tuple[str, ...]:
    """What a tensor's block is called, the nearest first."""
    if found := BLOCK.match(name):
        side = SIDES[found[1]]
        return (side,) if side == "MID" else (f"{side}{int(found[2]):02}", side)
    if name.startswith("first_stage_model."):
        return ("VAE", "BASE")
    return ("TEXT", "BASE") if name.startswith(TEXTS) else ("BASE",)


def read_blocks(text: str) -> dict[str, float]:
    """'IN=0.3,IN04=0.5,MID=1' as weights.  Raises InvalidRequest."""
    known = re.compile(r"(IN|OUT|JOINT)(\d\d)?|MID|TEXT|VAE|BASE")
    found: dict[str, float] = {}
    for piece in filter(None, (piece.strip() for piece in text.split(","))):
        label, _, weight = piece.partition("=")
        try:
            found[label.strip()] = float(weight)
        except ValueError:
            raise InvalidRequest("blocks", piece, "a block and its weight, as IN04=0.5") from None
        if not known.fullmatch(label.strip()) or not abs(float(weight)) < 1e3:
            raise InvalidRequest("blocks", piece, "one of IN, IN00 …, MID, OUT, OUT00 …, JOINT, TEXT, VAE, BASE")
    return found


def merged(first: Source, second: Source, blend: Blend, base: Source | None = None) -> Source:
    """first*(1-w) + second*w, or with a `base` first + w*(second - base); summed in float32, kept in `first`'s types.

    All are read as single files; what only `first` has of EMA copies and the like is left out. Raises WeightsError
    that lists the tensors in which they differ.
    """
    a, others = as_single(first), [as_single(other) for other in ([second] if base is None else [second, base])]
    slots = {name: slot for name, slot in a.slots.items() if not NEEDLESS.fullmatch(name)}
    mixed = {name for name, slot in slots.items() if slot.dtype in FLOATS and name not in MARKERS}
    _fitting(a, others, mixed)

    def fetch(name: str) -> Tensor:
        return _mix(a[name], [other[name] for other in others], blend.at(name)) if name in mixed else a[name]

    return replace(a, slots=slots, fetch=fetch)


def as_single(source: Source) -> Source:
    """A folder under the names of a single file; a file as it is."""
    if not any("/" in name for name in source.slots):
        return source
    parts = apart(source).parts
    return together(parts, base_of(parts))


def _mix(a: Tensor, others: list[Tensor], weight: float) -> Tensor:
    whole = a.to(torch.float32, copy=True)
    part = whole[:, : others[0].shape[1]] if a.shape != others[0].shape else whole
    if len(others) == 1:
        part.lerp_(others[0].float(), weight)
    else:
        part.add_(others[0].float() - others[1].float(), alpha=weight)
    return whole.to(a.dtype)


def _fitting(a: Source, others: list[Source], names: set[str]) -> None:
    wrong = []
    for other in others:
        for name in sorted(names):
            want, have = a.shape(name), other.shape(name)
            wider = (
                FIRST.fullmatch(name)
                and len(have) == 4
                and have[1] == 4
                and (*have[:1], *have[2:])
                == (
                    *want[:1],
                    *want[2:],
                )
            )
            if name not in other.slots:
                wrong.append(f"{other.what} lacks {name}")
            elif have != want and not wider:
                wrong.append(f"{name} is {want} in {a.what} and {have} in {other.what}")
    if wrong:
        more = f" and {len(wrong) - MOST_LISTED} more" if len(wrong) > MOST_LISTED else ""
        raise WeightsError(f"these models do not mix: {'; '.join(wrong[:MOST_LISTED])}{more}")
