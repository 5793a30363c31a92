"""A checkpoint as adapters see it: its networks by role, their names, and the names that files give their modules."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from inkwash.errors import InvalidRequest
from inkwash.predictor.mmdit import MMDiT
from inkwash.predictor.unet import UNet
from inkwash.text.encoder import TextEncoder, TextSpec
from inkwash.text.t5 import T5Encoder
from inkwash.weights.configs import t5_config
from inkwash.weights.containers.source import Source
from inkwash.weights.family import NETWORKS, identified
from inkwash.weights.gathered import readable
from inkwash.weights.lora_names import Role
from inkwash.weights.names import unet
from inkwash.weights.network_specs import shapes, unet_spec
from inkwash.weights.shape import mmdit_shape
from inkwash.weights.single import Base, Parts, apart, base_of
from inkwash.weights.waking import mmdit_spec, t5_spec

TEXTS: Mapping[str, Role] = {"text_encoder": "text", "text_encoder_2": "text_2", "text_encoder_3": "text_3"}
PREFIXES: Mapping[str, tuple[str, ...]] = {"unet": ("lora_unet_",), "text_encoder": ("lora_te_", "lora_te1_"),
                                           "text_encoder_2": ("lora_te_", "lora_te2_")}  # fmt: skip
"""Of a network's modules in kohya's files; the second where a model has several readers."""


@dataclass(frozen=True)
class Opened:
    """A checkpoint in parts, under the names of a diffusers folder."""

    path: Path
    found: Parts
    family: str

    @classmethod
    def at(cls, path: Path) -> "Opened":
        """Raises WeightsError for a broken file, InvalidRequest for one without a network that paints."""
        source = readable(path)
        found = apart(source)
        if not set(found.parts) & set(NETWORKS):
            wanted = f"a checkpoint with a U-Net or a transformer; this is a {identified(source).kind}"
            raise InvalidRequest("model", str(path), wanted)
        return cls(path, found, identified(source).family)

    @property
    def base(self) -> Base:
        """Which single file it would be."""
        return base_of(self.found.parts)

    @property
    def network(self) -> str:
        """The part that predicts noise."""
        return next(name for name in NETWORKS if name in self.found.parts)

    @property
    def texts(self) -> list[str]:
        """Its text encoders."""
        return [name for name in TEXTS if name in self.found.parts]

    def roles(self) -> dict[Role, str]:
        """The networks that adapters change, and the parts they lie in; the only reader of the refiner is its first."""
        if self.base == "sd3":
            return {"predictor": self.network, **{TEXTS[name]: name for name in self.texts}}
        roles: tuple[Role, ...] = ("text", "text_2")
        return {"predictor": self.network, **dict(zip(roles, self.texts, strict=False))}

    def prefix(self, name: str) -> str:
        """What an extracted file writes before the modules of a part; of Stable Diffusion 3 with PEFT's dots."""
        if self.base == "sd3":
            return f"{name}."
        return PREFIXES[name][-1 if len(self.texts) > 1 else 0]

    def named(self, name: str) -> Source:
        """A part under the names that such a file flattens: for XL those of the original code."""
        part = self.found.parts[name]
        if name == "unet" and self.base in ("sdxl", "refiner"):
            found = unet.to_ldm(list(part.slots))
            return part.renamed({new: recipe.olds[0] for new, recipe in found.items()})
        return part


def blank(name: str, part: Source) -> nn.Module:
    """A network without weights, whose modules have names and shapes."""
    with torch.device("meta"):
        if (shape := mmdit_shape(part)) is not None:
            return MMDiT(mmdit_spec(shape))
        if name == "unet":
            return UNet(unet_spec(shapes(part)))
        if name == "text_encoder_3":
            return T5Encoder(t5_spec(t5_config(part)))
        vocabulary, width = part.shape("text_model.embeddings.token_embedding.weight") or (1, 64)
        places = (part.shape("text_model.embeddings.position_embedding.weight") or (77,))[0]
        layers = sum(each.endswith(".self_attn.q_proj.weight") for each in part.slots)
        projection = (part.shape("text_projection.weight") or (0,))[0]
        return TextEncoder(TextSpec(width, layers, width // 64, places, vocabulary, 0, projection=projection))
