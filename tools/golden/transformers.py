"""Forwards of models.json that are transformers: MMDiT, CLIP's two towers, T5.

The configurations are those of the script that made the file: the released ones, narrow.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from inkwash.predictor.mmdit import MMDiT
from inkwash.predictor.mmdit_spec import MMDiTSpec
from inkwash.text.encoder import TextEncoder, TextSpec
from inkwash.text.t5 import T5Encoder, T5Spec
from inkwash.text.vision import VisionEncoder, VisionSpec
from inkwash.types import TextStates
from tools.golden import Case, Verdict
from tools.golden.filling import Golden, Rename, filled, given, goldens, judged, whole

IDS = torch.tensor([[98, 5, 7, 11, 13, 17, 19, 99] + [99] * 69, [98, 3, 99] + [0] * 74])
T5_IDS = torch.tensor([[5, 9, 33, 71, 2, 1] + [0] * 71])

NARROW = MMDiTSpec(4, 4, 16, text_width=48, pooled_width=40, positions=24, side=4)
CLIP_L = TextSpec(64, 4, 4, vocabulary=100, end=99, activation="quick_gelu")
CLIP_G = TextSpec(64, 4, 4, vocabulary=100, end=99, projection=40, skip=1, normed=False)
T5 = T5Spec(64, 4, 4, 16, 160, 100)
VISION = VisionSpec(64, 4, 4, 256, projection=32, size=56)


@dataclass(frozen=True)
class Forward:
    """A network with its answer, and the other implementation's name for each of its tensors."""

    network: nn.Module
    answer: Tensor
    rename: Rename = str


def mmdit(spec: MMDiTSpec) -> Callable[[str], Forward]:
    """Two pictures of unlike noise."""

    def run(name: str) -> Forward:
        network = filled(MMDiT(spec))
        text = TextStates(given(f"{name}.ctx", (2, 30, 48)), given(f"{name}.pool", (2, 40)))
        return Forward(network, network(given(f"{name}.x", (2, 16, 16, 24)), torch.tensor([900.25, 31.0]), text))

    return run


def prefixed(name: str) -> str:
    """transformers' names in the class with a projection."""
    return name if name.startswith("text_projection") else f"text_model.{name}"


def clip(spec: TextSpec, part: str) -> Callable[[str], Forward]:
    """Two prompts, padded in two ways."""
    rename = prefixed if spec.projection else str

    def run(_: str) -> Forward:
        network = filled(TextEncoder(spec), rename)
        return Forward(network, getattr(network(IDS), part), rename)

    return run


def t5(_: str) -> Forward:
    """One prompt, its padding not masked."""
    network = filled(T5Encoder(T5))
    return Forward(network, network(T5_IDS).states)


def vision(part: str) -> Callable[[str], Forward]:
    """One picture."""

    def run(name: str) -> Forward:
        network = filled(VisionEncoder(VISION))
        return Forward(network, getattr(network(given(f"{name}.x", (1, 3, 56, 56))), part))

    return run


FORWARDS: Mapping[str, Callable[[str], Forward]] = {
    "mmdit.sd3": mmdit(NARROW),
    "mmdit.sd35m": mmdit(replace(NARROW, qk_norm=True, dual=(0, 1))),
    "mmdit.sd35l": mmdit(replace(NARROW, depth=5, heads=5, qk_norm=True)),
    "clip.l.last": clip(CLIP_L, "states"),
    "clip.l.h-2": clip(replace(CLIP_L, skip=1, normed=False), "states"),
    "clip.l.pool": clip(CLIP_L, "pooled"),
    "clip.g.h-2": clip(CLIP_G, "states"),
    "clip.g.emb": clip(CLIP_G, "pooled"),
    "t5": t5,
    "vision.emb": vision("pooled"),
    "vision.h-2": vision("states"),
}


def cases(folder: Path) -> Iterator[Case]:
    """The transformers of a folder's models.json."""
    for name, golden in goldens(folder).items():
        if name in FORWARDS:
            yield Case(name, partial(verdict, folder, name, golden))


@torch.no_grad()
def verdict(folder: Path, name: str, golden: Golden) -> Verdict:
    """One case, computed anew."""
    found = FORWARDS[name](name)
    return judged(golden, whole(folder, name), found.answer, found.network, found.rename)
