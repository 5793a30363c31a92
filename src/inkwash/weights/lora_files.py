"""Adapters as files: baked into a checkpoint, taken out of a tuned one, or made smaller.

bake      every weight that an adapter speaks of is changed, tensor by tensor; the rest is copied
extract   what a training has changed, as matrices of low rank; in kohya's naming, of Stable Diffusion 3 in PEFT's
resize    the nearest of a smaller rank
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from inkwash.errors import InvalidRequest, WeightsError
from inkwash.weights.change import Changes
from inkwash.weights.containers.source import Source
from inkwash.weights.extract import extracted, pair
from inkwash.weights.families import FAMILIES
from inkwash.weights.files import Checkpoint
from inkwash.weights.gathered import readable
from inkwash.weights.lora import notes_about, read_changes, scale_of, told_of
from inkwash.weights.lora_names import Role
from inkwash.weights.lora_parts import Opened, blank
from inkwash.weights.lora_peft import BIAS, DOWN, UP, as_peft, from_peft, in_peft
from inkwash.weights.single import together


def baked(path: Path, adapters: Sequence[tuple[Path, float]]) -> Source:
    """The checkpoint with adapters in it, as one file, in its own types; summed in float32.

    Raises InvalidRequest and WeightsError for what is no checkpoint, no adapter, or does not fit.
    """
    opened = Opened.at(path)
    parts = dict(opened.found.parts)
    roles = opened.roles()
    networks = {role: blank(name, parts[name]) for role, name in roles.items()}
    todo = [(_changes(file, networks), strength) for file, strength in adapters]
    for role, name in roles.items():
        acting = [(changes[role], strength) for changes, strength in todo if role in changes]
        parts[name] = _changed(parts[name], acting, name)
    markers = {name: readable(path).renamed({name: name}) for name in opened.found.markers}
    return together(parts, opened.base, markers)


def taken(tuned: Path, base: Path, rank: int) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The LoRA that takes `base` to `tuned`, and its notes.  Raises as `baked` does, and for networks that differ."""
    one, other = Opened.at(tuned), Opened.at(base)
    if one.base != other.base:
        raise WeightsError(f"{tuned} and {base} are not of one kind")
    found: dict[str, Tensor] = {}
    for name in [one.network, *(text for text in one.texts if text in other.texts)]:
        after, before = (part.named(name).tensors() for part in (one, other))
        found |= extracted(after, before, rank, one.prefix(name))
    if not found:
        raise WeightsError(f"{tuned} and {base} are the same networks: there is nothing to extract")
    peft = one.base == "sd3"
    return as_peft(found) if peft else found, notes(one.family, rank, tuned.stem, kohya=not peft)


def resized(path: Path, rank: int) -> tuple[dict[str, Tensor], dict[str, str]]:
    """A LoRA file of a smaller rank, as near as that allows; what is no pair of matrices stays.

    Raises InvalidRequest for a rank below 1, WeightsError for a file without pairs.
    """
    if rank < 1:
        raise InvalidRequest("rank", rank, "at least 1")
    source = readable(path)
    tensors = source.tensors()
    peft, told = in_peft(tensors), told_of(source.metadata)
    tensors = from_peft(tensors) if peft else tensors
    stems = [name.removesuffix(UP) for name in tensors if name.endswith(UP)]
    stems = [stem for stem in stems if stem + DOWN in tensors and f"{stem}.lora_mid.weight" not in tensors]
    if not stems:
        raise WeightsError(f"{path} holds no pairs of {UP} and {DOWN}, or of PEFT's, to resize")
    for stem in stems:
        up, down = tensors[stem + UP], tensors[stem + DOWN]
        given = {"alpha": tensors[f"{stem}.alpha"]} if f"{stem}.alpha" in tensors else {}
        scale = scale_of(given, down, notes_about(told, stem))
        tensors |= _smaller(stem, up, down, scale, rank)
        if peft and stem + BIAS in tensors:  # there the scale holds for it, too
            tensors[stem + BIAS] = scale * tensors[stem + BIAS]
    kept = {key: value for key, value in source.metadata.items() if key.startswith(("modelspec.", "ss_"))}
    if peft:
        return as_peft(tensors), kept
    return tensors, kept | {"ss_network_dim": str(rank), "ss_network_alpha": str(float(rank))}


def notes(family: str, rank: int, title: str, *, kohya: bool = True) -> dict[str, str]:
    """What a LoRA file says of itself: the ModelSpec standard's words, and in kohya's naming those of its programs."""
    known = FAMILIES.get(family)
    architecture = {"modelspec.architecture": f"{known.modelspec}/lora"} if known and known.modelspec else {}
    said = {
        "modelspec.sai_model_spec": "1.0.1",
        **architecture,
        "modelspec.implementation": "https://github.com/Stability-AI/generative-models",
        "modelspec.title": title,
    }
    if not kohya:
        return said
    return said | {
        "ss_network_module": "networks.lora",
        "ss_network_dim": str(rank),
        "ss_network_alpha": str(float(rank)),
        "ss_v2": str(family.startswith("sd2")),
        "ss_base_model_version": {"sd1": "sd_v1", "sd2": "sd_v2", "sdxl": "sdxl_base_v1-0"}.get(family, family),
    }


def _changes(file: Path, networks: Mapping[Role, nn.Module]) -> dict[Role, Changes]:
    source = readable(file)
    found = read_changes(Checkpoint(source.tensors(), source.metadata), networks, str(file))
    for role, changes in found.items():
        weights = dict(networks[role].named_parameters())
        if wrong := [name for name, change in changes.items() if not change.fits(tuple(weights[name].shape))]:
            raise WeightsError(f"{file} does not fit: {wrong[0]} is {tuple(weights[wrong[0]].shape)}")
    return found


def _changed(part: Source, acting: Sequence[tuple[Changes, float]], name: str) -> Source:
    """The part, changed as its tensors are fetched."""
    clip = name in ("text_encoder", "text_encoder_2")
    ours = {old: old.removeprefix("text_model.") if clip else old for old in part.slots}

    def fetch(old: str) -> Tensor:
        weight = part[old]
        applied = [(changes[ours[old]], strength) for changes, strength in acting if ours[old] in changes]
        changed = weight.float()
        for change, strength in applied:
            changed = change.applied(changed, strength)
        return changed.to(weight.dtype) if applied else weight

    return replace(part, fetch=fetch)


def _smaller(stem: str, up: Tensor, down: Tensor, scale: float, rank: int) -> dict[str, Tensor]:
    """up @ down of a smaller rank; the product itself, which is large, is never made."""
    ahead, first = torch.linalg.qr(up.float().flatten(1))
    behind, second = torch.linalg.qr(down.float().flatten(1).T)
    u, s, v = torch.linalg.svd(scale * first @ second.T)
    made = pair(stem, (ahead @ u, s, v @ behind.T), rank, tuple(down.shape[1:]))
    return {name: tensor.to(up.dtype) for name, tensor in made.items()}
