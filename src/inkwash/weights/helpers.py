"""Networks that help a predictor, out of their files: ControlNets, T2I-Adapters, IP-Adapters, CLIP's vision tower."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inkwash.errors import InvalidRequest, WeightsError
from inkwash.predictor.controlnet import ControlNet
from inkwash.predictor.ip_adapter import IPAdapter
from inkwash.predictor.t2i_adapter import T2IAdapter
from inkwash.predictor.unet import UNet
from inkwash.predictor.union_controlnet import UnionControlNet
from inkwash.text.vision import VisionEncoder, VisionSpec
from inkwash.weights.containers.source import Source
from inkwash.weights.control_lora import control_lora
from inkwash.weights.families import FAMILIES
from inkwash.weights.family import Identity, identified
from inkwash.weights.gathered import notes_of, readable
from inkwash.weights.helper_specs import ip_adapter_spec, t2i_adapter_spec
from inkwash.weights.names import unet
from inkwash.weights.names.recipe import recast
from inkwash.weights.network_specs import shapes, unet_spec
from inkwash.weights.waking import awake, headed

ControlNetwork = ControlNet | UnionControlNet | T2IAdapter
INSIDE = "control_model."
"""Before a ControlNet's names in files that hold more."""
OLD_STAGE = re.compile(r"body\.(\d+)\.(block1|block2|in_conv)\.(.+)")
OLD_LIGHT = re.compile(r"body\.(\d+)\.body\.(\d+)\.(.+)")
HEADS = 16
"""Of every vision tower that adapters were taught with."""


def control_identity(path: Path) -> Identity:
    """What it is, from its header alone."""
    return identified(readable(path))


def read_control(path: Path, base: UNet | None = None) -> tuple[ControlNetwork, Identity]:
    """A ControlNet or a T2I-Adapter, and what it is; a control-LoRA is built on `base`.

    Raises InvalidRequest for a file that is none of them, WeightsError for one that is broken or does not fit `base`.
    """
    source = readable(path)
    told = identified(source)
    if told.kind in ("controlnet", "controlnet union") and not told.family.startswith("sd3"):
        return _controlnet(source), told
    if told.kind == "control-lora" and base is not None:
        return control_lora(_inside(source), base), told
    if told.kind.startswith("t2i-adapter"):
        return _t2i_adapter(source), told
    if told.kind == "controlnet":
        raise InvalidRequest("control", str(path), f"for a U-Net; this one is for {FAMILIES[told.family].title}")
    raise InvalidRequest(
        "control", str(path), f"a ControlNet or a T2I-Adapter; this is a {told.kind} {told.family}".strip()
    )


def read_ip_adapter(path: Path) -> IPAdapter:
    """An IP-Adapter.  Raises InvalidRequest for another file, WeightsError for one that is broken."""
    source = readable(path)
    told = identified(source)
    if not told.kind.startswith("ip-adapter"):
        raise InvalidRequest("ip_adapter", str(path), f"an IP-Adapter; this is a {told.kind}")
    found = source.renamed({re.sub(r"^(image_proj|ip_adapter)/", r"\1.", name): name for name in source.slots})
    spec = ip_adapter_spec(shapes(found))
    return awake(lambda: IPAdapter(spec), found)


def read_vision(path: Path) -> VisionEncoder:
    """CLIP's vision tower: a folder or a file.  Raises InvalidRequest for another, WeightsError for a broken one."""
    source = readable(path)
    if identified(source).kind != "vision encoder":
        raise InvalidRequest(
            "ip_adapter.encoder", str(path), f"a vision tower of CLIP; this is a {identified(source).kind}"
        )
    names = {name: name for name in source.slots if name.startswith("vision_model.") and "position_ids" not in name}
    found = source.renamed(names | {name: name for name in source.slots if name == "visual_projection.weight"})
    spec = vision_spec(shapes(found), notes_of(source).get("config.json", {}))
    return awake(lambda: VisionEncoder(spec), found)


def vision_spec(found: Mapping[str, tuple[int, ...]], config: Mapping[str, Any]) -> VisionSpec:
    """The table of a vision tower; heads and activation leave no trace, so a configuration tells them or custom does.

    Raises WeightsError if it is none.
    """
    patches = found.get("vision_model.embeddings.patch_embedding.weight", ())
    places = found.get("vision_model.embeddings.position_embedding.weight", ())
    inner = found.get("vision_model.encoder.layers.0.mlp.fc1.weight", ())
    whole = found.get("visual_projection.weight", ())
    if len(patches) != 4 or len(places) != 2 or len(inner) != 2 or len(whole) != 2:
        raise WeightsError("this is no vision tower with a projection, under the names of a diffusers folder")
    layers = {int(each[1]) for name in found if (each := re.match(r"vision_model\.encoder\.layers\.(\d{1,3})\.", name))}
    told = config.get("num_attention_heads")
    usual = "quick_gelu" if whole[0] == 768 else "gelu"  # CLIP-L comes from OpenAI, all larger ones do not
    side = round((places[0] - 1) ** 0.5) * patches[2]
    return VisionSpec(
        patches[0], 1 + max(layers), told if isinstance(told, int) and told > 0 else HEADS, inner[0], whole[0],
        patches[2], side, "quick_gelu" if config.get("hidden_act", usual) == "quick_gelu" else "gelu",
    )  # fmt: skip


def _inside(source: Source) -> Source:
    return source.under(INSIDE) if any(name.startswith(INSIDE) for name in source.slots) else source


def _controlnet(source: Source) -> ControlNet | UnionControlNet:
    part = _inside(source)
    if any(name.startswith("input_hint_block.") for name in part.slots):
        part = recast(part, unet.to_diffusers(list(part.slots)))
    spec = headed(unet_spec(shapes(part)), notes_of(source).get("config.json", {}))
    hints = (part.shape("controlnet_cond_embedding.conv_in.weight") or (0, 3))[1]
    if kinds := part.shape("task_embedding"):
        layers = len({name.split(".")[1] for name in part.slots if name.startswith("transformer_layes.")})
        return awake(lambda: UnionControlNet(spec, kinds[0], layers, hints), part)
    return awake(lambda: ControlNet(spec, hints), part)


def _t2i_adapter(source: Source) -> T2IAdapter:
    modern = any(".resnets." in name for name in source.slots)
    nested = "body.0.in_conv.weight" in source.slots
    found = source if modern else source.renamed({_modern(name, nested): name for name in source.slots})
    spec = t2i_adapter_spec(shapes(found))
    return awake(lambda: T2IAdapter(spec), found)


def _modern(name: str, nested: bool) -> str:
    """Names of the original code: it numbers all blocks through, two a stage, and nests those of light adapters."""
    name = name.removeprefix("adapter.")
    if light := OLD_LIGHT.fullmatch(name):
        return f"adapter.body.{light[1]}.resnets.{light[2]}.{light[3]}"
    if (old := OLD_STAGE.fullmatch(name)) and not nested:
        stage, block = divmod(int(old[1]), 2)
        inner = f"in_conv.{old[3]}" if old[2] == "in_conv" else f"resnets.{block}.{old[2]}.{old[3]}"
        return f"adapter.body.{stage}.{inner}"
    return f"adapter.{name}"
