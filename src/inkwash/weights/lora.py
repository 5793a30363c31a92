"""Adapters from files: LoRA, LoHa, LoKr, DoRA and plain differences, by whichever trainer.

Tensors of one module are gathered by the ends of their names, made into a change, and given to the weight they mean.
What is unknown, incomplete or for another network is listed in one error.
"""

import json
from collections.abc import Iterator, Mapping
from math import isfinite, sqrt

import torch
from torch import Tensor, nn

from inkwash.errors import WeightsError
from inkwash.weights.change import Change, Changes
from inkwash.weights.deltas import Delta, Full, Hadamard, Kronecker, LowRank, Rows, Swapped
from inkwash.weights.files import Checkpoint
from inkwash.weights.fit import MOST_LISTED
from inkwash.weights.lora_names import Aliases, Place, Role, places

ENDS: Mapping[str, str] = {
    ".lora_down.weight": "down", ".lora_up.weight": "up", ".lora_mid.weight": "mid",
    ".lora_A.weight": "down", ".lora_B.weight": "up",
    ".lora_A.default.weight": "down", ".lora_B.default.weight": "up",
    ".lora_B.bias": "up_bias", ".lora_B.default.bias": "up_bias",
    ".lora.down.weight": "down", ".lora.up.weight": "up",
    "_lora.down.weight": "down", "_lora.up.weight": "up",
    ".lora_linear_layer.down.weight": "down", ".lora_linear_layer.up.weight": "up",
    ".alpha": "alpha", ".dora_scale": "magnitude",
    ".lora_magnitude_vector": "magnitude", ".lora_magnitude_vector.weight": "magnitude",
    ".lora_magnitude_vector.default.weight": "magnitude",
    ".diff": "diff", ".w_norm": "diff", ".diff_b": "bias", ".b_norm": "bias",
    **{f".hada_{part}": part for part in ("w1_a", "w1_b", "w2_a", "w2_b", "t1", "t2")},
    **{f".lokr_{part}": f"k_{part}" for part in ("w1", "w1_a", "w1_b", "w2", "w2_a", "w2_b", "t2")},
}  # fmt: skip
"""How names of tensors end -> what the tensor is."""
ELSEWHERE = ("bundle_emb.",)
"""Embeddings that travel along with an adapter; they are not changes of weights."""
Parts = dict[str, Tensor]


def read_changes(
    kept: Checkpoint, networks: Mapping[Role, nn.Module], what: str = "the adapter", aliases: Aliases | None = None
) -> dict[Role, Changes]:
    """What a file does to every network it speaks of, ready for `Patch.add`.

    `aliases` are other names of the predictor's modules, needed where it is no U-Net. Raises WeightsError that lists
    what is unknown or incomplete.
    """
    groups, wrong = _grouped(kept.tensors)
    known, told = places(networks, aliases), told_of(kept.metadata)
    found: dict[Role, dict[str, Change]] = {}
    for stem, parts in groups.items():
        place = known.get(stem.replace(".processor.", "."))
        if place is None:
            wrong.append(f"no place for {stem}")
            continue
        try:
            for path, change in _placed(place, parts, notes_about(told, stem)):
                if path in found.setdefault(place.role, {}):
                    raise ValueError("is there twice, under two names")
                found[place.role][path] = change
        except ValueError as error:
            wrong.append(f"{stem} {error}")
    if wrong or not found:
        more = f" and {len(wrong) - MOST_LISTED} more" if len(wrong) > MOST_LISTED else ""
        raise WeightsError(f"{what}: {'; '.join(wrong[:MOST_LISTED]) or 'no adapter is in it'}{more}")
    return {**found}


def _grouped(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Parts], list[str]]:
    """The tensors of every module, and the names of those that are none of an adapter."""
    groups: dict[str, Parts] = {}
    unknown = []
    for name, tensor in tensors.items():
        if name.startswith(ELSEWHERE):
            continue
        end = max((end for end in ENDS if name.endswith(end)), key=len, default=None)
        if end is None:
            unknown.append(f"unknown {name}")
        else:
            groups.setdefault(name.removesuffix(end), {})[ENDS[end]] = tensor
    return groups, unknown


def _placed(place: Place, parts: Parts, notes: Mapping[str, object]) -> Iterator[tuple[str, Change]]:
    """Parameters and their changes.  Raises ValueError telling what is wrong with `parts`."""
    parts, magnitude, count = dict(parts), parts.get("magnitude"), len(place.modules)
    parts.pop("magnitude", None)
    deltas: dict[str, Delta] = {}
    if "up_bias" in parts and "down" in parts:  # PEFT scales it as the matrices beside it
        parts["bias"] = scale_of(parts, parts["down"], notes) * parts.pop("up_bias").float()
    if "bias" in parts:
        deltas["bias"] = Full(parts.pop("bias"))
    if parts or magnitude is not None:
        deltas["weight"] = _delta(parts, notes)
    if magnitude is not None and count > 1 and (magnitude.shape[:1] != (magnitude.numel(),) or len(magnitude) % count):
        raise ValueError("rescales columns of several weights at once")
    if place.swapped:
        deltas = {leaf: Swapped(delta) for leaf, delta in deltas.items()}
        magnitude = magnitude if magnitude is None or len(magnitude) == 1 else torch.cat(magnitude.chunk(2)[::-1])
    for leaf, delta in deltas.items():
        for index, module in enumerate(place.modules):
            share: Delta = delta if count == 1 else Rows(delta, index, count)
            norms = magnitude if magnitude is None or count == 1 else magnitude.chunk(count)[index]
            yield f"{module}.{leaf}", Change(share, norms if leaf == "weight" else None)


def _delta(parts: Parts, notes: Mapping[str, object]) -> Delta:
    names = parts.keys() - {"alpha"}
    if names == {"diff"}:
        return Full(parts["diff"])
    if {"up", "down"} <= names <= {"up", "down", "mid"}:
        return LowRank(parts["up"], parts["down"], scale_of(parts, parts["down"], notes), parts.get("mid"))
    if {"w1_a", "w1_b", "w2_a", "w2_b"} <= names <= {"w1_a", "w1_b", "w2_a", "w2_b", "t1", "t2"}:
        four = parts["w1_a"], parts["w1_b"], parts["w2_a"], parts["w2_b"]
        return Hadamard(*four, scale_of(parts, parts["w1_b"], notes), parts.get("t1"), parts.get("t2"))
    if any(name.startswith("k_") for name in names):
        return _kronecker(parts, notes)
    raise ValueError(f"is incomplete: it has {', '.join(sorted(parts)) or 'a scale alone'}")


def _kronecker(parts: Parts, notes: Mapping[str, object]) -> Kronecker:
    """Each factor is there as a whole or as two of low rank; with two whole ones there is no rank to divide by."""
    core = parts.get("k_t2")
    w1, w2 = _factor(parts, "k_w1", None), _factor(parts, "k_w2", core)
    ranked = parts.get("k_w1_b", parts.get("k_w2_b"))
    return Kronecker(w1, w2, 1.0 if ranked is None else scale_of(parts, ranked, notes))


def _factor(parts: Parts, name: str, core: Tensor | None) -> tuple[Tensor, ...]:
    whole, a, b = parts.get(name), parts.get(f"{name}_a"), parts.get(f"{name}_b")
    if whole is not None:
        return (whole,)
    if a is None or b is None:
        raise ValueError(f"is incomplete: it has {', '.join(sorted(parts))}")
    return (a, b) if core is None else (a, b, core)


def scale_of(parts: Parts, ranked: Tensor, notes: Mapping[str, object]) -> float:
    """alpha / rank, the rank being the rows of `ranked`; 1 without an alpha.  (rsLoRA: alpha / sqrt(rank))"""
    rank, told = (len(ranked) if ranked.ndim else 0), parts.get("alpha")
    alpha = notes.get("alpha") if told is None else told.item() if told.numel() == 1 else None
    if told is not None and not isinstance(alpha, int | float):
        raise ValueError("has an alpha that is no number")
    if not rank:
        raise ValueError("has no rank")
    if not isinstance(alpha, int | float):
        return 1.0
    if not isfinite(alpha):
        raise ValueError(f"has an alpha of {alpha}")
    return alpha / (sqrt(rank) if notes.get("rooted") else rank)


def told_of(metadata: Mapping[str, str]) -> Mapping[str, object]:
    """What PEFT wrote beside the tensors about itself; nothing where it cannot be read."""
    try:
        table = json.loads(metadata.get("lora_adapter_metadata", "{}"))
    except (ValueError, RecursionError):
        return {}
    return table if isinstance(table, dict) else {}


def notes_about(told: Mapping[str, object], stem: str) -> Mapping[str, object]:
    """What of it is about the scale of one module; a network's own notes begin with its name."""
    owner = stem.partition(".")[0]
    alpha, rooted, pattern = (
        told.get(f"{owner}.{key}", told.get(key)) for key in ("lora_alpha", "use_rslora", "alpha_pattern")
    )
    patterns = pattern.items() if isinstance(pattern, dict) else ()
    alpha = next((value for key, value in patterns if f".{stem}".endswith(f".{key}")), alpha)
    return {"alpha": alpha, "rooted": rooted is True}
