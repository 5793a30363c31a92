"""Adapters as files: baked into a checkpoint, taken out of a tuned one, or made smaller.

bake      every weight that an adapter speaks of is changed, tensor by tensor; the rest is copied
extract   what a training has changed, as matrices of low rank, in kohya's naming
resize    the nearest of a smaller rank
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from inkwash.errors import InvalidRequest, WeightsError
from inkwash.predictor.unet import UNet
from inkwash.text.encoder import TextEncoder, TextSpec
from inkwash.weights.change import Changes
from inkwash.weights.containers.source import Source
from inkwash.weights.extract import extracted, pair
from inkwash.weights.families import FAMILIES
from inkwash.weights.family import identified
from inkwash.weights.files import Checkpoint
from inkwash.weights.gathered import readable
from inkwash.weights.lora import read_changes
from inkwash.weights.lora_names import Role
from inkwash.weights.names import unet
from inkwash.weights.network_specs import shapes, unet_spec
from inkwash.weights.single import Base, Parts, apart, base_of, together

TEXTS = ("text_encoder", "text_encoder_2", "text_encoder_3")
UP, DOWN = ".lora_up.weight", ".lora_down.weight"
PREFIXES: Mapping[str, tuple[str, ...]] = {"unet": ("lora_unet_",), "text_encoder": ("lora_te_", "lora_te1_"),
                                           "text_encoder_2": ("lora_te_", "lora_te2_")}  # fmt: skip
"""Of a network's modules; the second where a model has several readers."""


@dataclass(frozen=True)
class Opened:
    """A checkpoint in parts, under the names of a diffusers folder."""

    path: Path
    found: Parts
    family: str

    @classmethod
    def at(cls, path: Path) -> "Opened":
        """Raises WeightsError for a broken file, InvalidRequest for one without a U-Net."""
        source = readable(path)
        found = apart(source)
        if "unet" not in found.parts:
            raise InvalidRequest("model", str(path), f"a checkpoint with a U-Net; this is a {identified(source).kind}")
        return cls(path, found, identified(source).family)

    @property
    def texts(self) -> list[str]:
        """Its text encoders."""
        return [name for name in TEXTS[:2] if name in self.found.parts]


def baked(path: Path, adapters: Sequence[tuple[Path, float]]) -> Source:
    """The checkpoint with adapters in it, as one file, in its own types; summed in float32.

    Raises InvalidRequest and WeightsError for what is no checkpoint, no adapter, or does not fit.
    """
    opened = Opened.at(path)
    parts = dict(opened.found.parts)
    roles = _roles(opened)
    networks = {role: _blank(name, parts[name]) for role, name in roles.items()}
    todo = [(_changes(file, networks), strength) for file, strength in adapters]
    for role, name in roles.items():
        acting = [(changes[role], strength) for changes, strength in todo if role in changes]
        parts[name] = _changed(parts[name], acting, name)
    base = base_of(parts)
    markers = {name: readable(path).renamed({name: name}) for name in opened.found.markers}
    return together(parts, base, markers)


def taken(tuned: Path, base: Path, rank: int) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The LoRA that takes `base` to `tuned`, and its notes.  Raises as `baked` does, and for networks that differ."""
    one, other = Opened.at(tuned), Opened.at(base)
    found: dict[str, Tensor] = {}
    for name in ["unet", *(text for text in one.texts if text in other.texts)]:
        few, several = PREFIXES[name][0], PREFIXES[name][-1]
        prefix = several if len(one.texts) > 1 else few
        kind = base_of(one.found.parts)
        after, before = (_kohya(part.found.parts[name], name, kind).tensors() for part in (one, other))
        found |= extracted(after, before, rank, prefix)
    if not found:
        raise WeightsError(f"{tuned} and {base} are the same networks: there is nothing to extract")
    return found, notes(one.family, rank, tuned.stem)


def resized(path: Path, rank: int) -> tuple[dict[str, Tensor], dict[str, str]]:
    """A LoRA file of a smaller rank, as near as that allows; what is no pair of matrices stays.

    Raises InvalidRequest for a rank below 1, WeightsError for a file without pairs.
    """
    if rank < 1:
        raise InvalidRequest("rank", rank, "at least 1")
    source = readable(path)
    tensors = source.tensors()
    stems = [name.removesuffix(UP) for name in tensors if name.endswith(UP)]
    stems = [stem for stem in stems if stem + DOWN in tensors and f"{stem}.lora_mid.weight" not in tensors]
    if not stems:
        raise WeightsError(f"{path} holds no pairs of {UP} and {DOWN} to resize")
    for stem in stems:
        up, down = tensors[stem + UP], tensors[stem + DOWN]
        alpha = tensors.get(f"{stem}.alpha", torch.tensor(float(len(down)))).float()
        tensors |= _smaller(stem, up, down, alpha / len(down), rank)
    told = {key: value for key, value in source.metadata.items() if key.startswith(("modelspec.", "ss_"))}
    return tensors, told | {"ss_network_dim": str(rank), "ss_network_alpha": str(float(rank))}


def notes(family: str, rank: int, title: str) -> dict[str, str]:
    """What a LoRA file says of itself: the ModelSpec standard's words, and those that kohya's programs read."""
    known = FAMILIES.get(family)
    architecture = {"modelspec.architecture": f"{known.modelspec}/lora"} if known and known.modelspec else {}
    return {
        "modelspec.sai_model_spec": "1.0.1",
        **architecture,
        "modelspec.implementation": "https://github.com/Stability-AI/generative-models",
        "modelspec.title": title,
        "ss_network_module": "networks.lora",
        "ss_network_dim": str(rank),
        "ss_network_alpha": str(float(rank)),
        "ss_v2": str(family.startswith("sd2")),
        "ss_base_model_version": {"sd1": "sd_v1", "sd2": "sd_v2", "sdxl": "sdxl_base_v1-0"}.get(family, family),
    }


def _roles(opened: Opened) -> dict[Role, str]:
    """The networks that adapters change, and the parts they lie in."""
    roles: tuple[Role, ...] = ("text", "text_2")
    return {"predictor": "unet", **dict(zip(roles, opened.texts, strict=False))}


def _blank(name: str, part: Source) -> nn.Module:
    """A network without weights, whose modules have names and shapes."""
    with torch.device("meta"):
        if name == "unet":
            return UNet(unet_spec(shapes(part)))
        vocabulary, width = part.shape("text_model.embeddings.token_embedding.weight") or (1, 64)
        places = (part.shape("text_model.embeddings.position_embedding.weight") or (77,))[0]
        layers = sum(each.endswith(".self_attn.q_proj.weight") for each in part.slots)
        projection = (part.shape("text_projection.weight") or (0,))[0]
        return TextEncoder(TextSpec(width, layers, width // 64, places, vocabulary, 0, projection=projection))


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
    ours = {old: old.removeprefix("text_model.") if name != "unet" else old for old in part.slots}

    def fetch(old: str) -> Tensor:
        weight = part[old]
        applied = [(changes[ours[old]], strength) for changes, strength in acting if ours[old] in changes]
        changed = weight.float()
        for change, strength in applied:
            changed = change.applied(changed, strength)
        return changed.to(weight.dtype) if applied else weight

    return replace(part, fetch=fetch)


def _kohya(part: Source, name: str, base: Base) -> Source:
    """Under the names that kohya's files flatten: for XL those of the original code."""
    if name == "unet" and base in ("sdxl", "refiner"):
        found = unet.to_ldm(list(part.slots))
        return part.renamed({new: recipe.olds[0] for new, recipe in found.items()})
    return part


def _smaller(stem: str, up: Tensor, down: Tensor, scale: Tensor, rank: int) -> dict[str, Tensor]:
    """up @ down of a smaller rank; the product itself, which is large, is never made."""
    ahead, first = torch.linalg.qr(up.float().flatten(1))
    behind, second = torch.linalg.qr(down.float().flatten(1).T)
    u, s, v = torch.linalg.svd(scale * first @ second.T)
    made = pair(stem, (ahead @ u, s, v @ behind.T), rank, tuple(down.shape[1:]))
    return {name: tensor.to(up.dtype) for name, tensor in made.items()}
