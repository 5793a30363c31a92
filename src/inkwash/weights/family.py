"""What a file is: told from the names and shapes of its tensors alone, never from its own name."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from inkwash.weights.adapters import WORDS, ip_adapter, low_rank, t2i_adapter
from inkwash.weights.containers.source import Source
from inkwash.weights.control_kinds import said_of
from inkwash.weights.embeddings import is_embedding, widths
from inkwash.weights.families import COUSINS, FAMILIES, MMDITS, TASKS, UNETS
from inkwash.weights.joint_shape import FIRST, told_by_shape
from inkwash.weights.names import unet as unet_names
from inkwash.weights.names.recipe import recast
from inkwash.weights.network_specs import depths, shapes, unet_of, words
from inkwash.weights.shape import mmdit_shape
from inkwash.weights.single import apart

ENCODERS: Mapping[int, str] = {768: "CLIP-L", 1024: "OpenCLIP-H", 1280: "OpenCLIP-bigG"}
VISIONS: Mapping[int, str] = {1024: "CLIP ViT-L", 1280: "CLIP ViT-H", 1664: "CLIP ViT-bigG"}
NUMBERED = re.compile(r"((taesd_)?(en|de)coder\.)?\d+\.((conv|skip)\.)?(\d+\.)?(weight|bias)")
NETWORKS = ("unet", "transformer")


@dataclass(frozen=True)
class Identity:
    """What a file holds."""

    kind: str
    """checkpoint, network, vae, taesd, text encoder, vision encoder, controlnet, lora …, unknown."""
    family: str = ""
    """A key of `families.FAMILIES`, or '' where it belongs to none or the file cannot tell."""
    task: str = ""
    """paint, inpaint, edit, depth, upscale."""
    layout: str = ""
    """ldm: the original code's names; diffusers."""
    parts: tuple[str, ...] = ()
    details: Mapping[str, str] | None = None
    """What else the kind has: rank, naming, latent channels …"""

    def needs(self) -> tuple[str, ...]:
        """What must come from elsewhere before it paints."""
        if self.kind not in ("checkpoint", "network") or self.family not in FAMILIES:
            return () if self.kind in ("checkpoint", "network", "unknown") else ("a model to work on",)
        there = {"vae": "vae" in self.parts, "text": any(part.startswith("text_encoder") for part in self.parts)}
        words = [f"the text encoder {name}" for name in FAMILIES[self.family].encoders if not there["text"]]
        return tuple(([] if there["vae"] else ["an autoencoder"]) + words)


def identified(source: Source) -> Identity:
    """What `source` is; its kind is `unknown` if nobody can say."""
    found = next((one for tell in TELLERS if (one := tell(source)) is not None), None)
    return found or Identity("unknown")


def _adapter(source: Source) -> Identity | None:
    found = low_rank(source) or ip_adapter(source) or t2i_adapter(source)
    if found is None:
        return None
    details = {"naming": found.naming, "rank": found.rank, "modules": str(found.modules or "")}
    filled = {key: value for key, value in details.items() if value}
    return Identity(found.kind, found.family, parts=found.parts, details=filled)


def _embedding(source: Source) -> Identity | None:
    if not is_embedding(source):
        return None
    found = widths(source)
    family = "sdxl" if len(found) > 1 else WORDS.get(next(iter(found.values()))[1], "")
    return Identity("textual inversion", family, details={"vectors": str(next(iter(found.values()))[0])})


def _controlnet(source: Source) -> Identity | None:
    """ControlNets of every age: the way down of a network, with a look at a picture."""
    inside = source.under("control_model.") if any(n.startswith("control_model.") for n in source.slots) else source
    names = inside.slots
    if "lora_controlnet" in names:
        return Identity("control-lora", _words(inside), layout="ldm", details=said_of(shapes(inside)))
    if FIRST in names:
        family, layout, details = told_by_shape(inside)
        return Identity("controlnet", family, layout=layout, details=details)
    if any(name.startswith("input_hint_block.") for name in names):
        return replace(_control(recast(inside, unet_names.to_diffusers(list(names)))), layout="ldm")
    if any(name.startswith("controlnet_cond_embedding.") for name in names):
        return _control(inside)
    return None


def _control(inside: Source) -> Identity:
    spec = unet_of(inside)
    union = any(name.startswith(("task_embedding", "control_add_embedding")) for name in inside.slots)
    kind = "controlnet union" if union else "controlnet"
    down = "" if spec is None else ",".join(map(str, depths(spec)[0]))
    family = "" if spec is None else WORDS.get(words(spec), "")
    return Identity(kind, family, layout="diffusers", details={"depths": down, **said_of(shapes(inside))})


def _model(source: Source) -> Identity | None:
    """A network, with or without the parts around it."""
    found = apart(source)
    if not set(found.parts) & set(NETWORKS):
        return None
    ldm = any("input_blocks." in name or "joint_blocks." in name for name in source.slots)
    layout = "ldm" if ldm else "diffusers"
    around = set(found.parts) - set(NETWORKS)
    told = _network(found.parts[next(name for name in NETWORKS if name in found.parts)])
    return replace(told, kind="checkpoint" if around else "network", layout=layout, parts=tuple(found.parts))


def _network(part: Source) -> Identity:
    if (dit := mmdit_shape(part)) is not None:
        family = MMDITS.get((dit.depth, dit.normed, bool(dit.dual)), "sd3-cousin")
        return Identity("network", family, "paint", details={"positions": str(dit.positions)})
    spec = unet_of(part)
    if spec is None:
        return Identity("network")
    family = UNETS.get((words(spec), depths(spec)), COUSINS.get(words(spec), ""))
    if family == "sd2" and spec.label_width:
        family = "sd2-unclip-l" if spec.label_width == 1536 else "sd2-unclip-h"
    task = TASKS.get(spec.channels_in, "") if family else ""
    return Identity("network", family, task, details={"lcm": "yes"} if spec.guidance_width else {})


def _autoencoder(source: Source) -> Identity | None:
    found = apart(source)
    part = found.parts.get("vae", source)
    names = part.slots
    if any(re.fullmatch(r"(encoder|decoder)\.layers\.0\.weight", name) for name in names):
        return Identity(
            "taesd", details=_latents(part, "encoder.layers", "decoder.layers.0.weight"), layout="diffusers"
        )
    if _numbered(names):
        first = next((name for name in names if name.endswith("decoder.1.weight")), "1.weight")
        return Identity("taesd", layout="ldm", details=_latents(part, "", first))
    if not any(name.startswith(("encoder.conv_in.", "decoder.conv_in.")) for name in names):
        return None
    if set(found.parts) - {"vae"}:
        return None
    ldm = any(
        name.startswith(("encoder.down.", "decoder.up.")) for name in source.under("first_stage_model.") or source
    )
    shape = part.shape("decoder.conv_in.weight") or part.shape("encoder.conv_out.weight")
    channels = shape[1] if part.shape("decoder.conv_in.weight") else shape[0] // 2
    known = {4: "4 (Stable Diffusion 1, 2 or XL: the file cannot tell)", 16: "16 (Stable Diffusion 3)"}
    return Identity("vae", layout="ldm" if ldm else "diffusers", parts=("vae",),
                    details={"latent channels": known.get(channels, str(channels))})  # fmt: skip


def _numbered(names: Mapping[str, object]) -> bool:
    """Is every tensor called after the number of its layer, as in the tiny autoencoders' own files?"""
    return bool(names) and all(NUMBERED.fullmatch(name) for name in names)


def _latents(part: Source, encoder: str, first: str) -> dict[str, str]:
    """Latent channels of a tiny autoencoder: what its decoder begins or its encoder ends with."""
    if shape := part.shape(first):
        return {"latent channels": str(shape[1])}
    last = max(
        (int(name.split(".")[-2]) for name in part.slots if re.match(rf"{encoder}\.?\d+\.weight", name)), default=0
    )
    shape = part.shape(f"{encoder}.{last}.weight".lstrip("."))
    return {"latent channels": str(shape[0])} if shape else {}


def _encoder(source: Source) -> Identity | None:
    """A text or vision encoder by itself."""
    names = source.slots
    for name in ("text_model.embeddings.token_embedding.weight", "embeddings.token_embedding.weight",
                 "token_embedding.weight", "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight",
                 "transformer.text_model.embeddings.token_embedding.weight"):  # fmt: skip
        if name in names and not any("visual." in each or "vision_model." in each for each in names):
            width = source.shape(name)[-1]
            return Identity("text encoder", details={"encoder": ENCODERS.get(width, f"of width {width}")})
    for name in ("encoder.block.0.layer.0.SelfAttention.q.weight", "enc.blk.0.attn_q.weight"):
        if name in names:
            shape = source.shape("shared.weight") or source.shape("token_embd.weight")
            return Identity("text encoder", details={"encoder": "T5-XXL" if shape[-1:] == (4096,) else "T5"})
    for name in ("vision_model.embeddings.class_embedding", "visual.class_embedding"):
        if name in names:
            width = source.shape(name)[0]
            return Identity("vision encoder", details={"encoder": VISIONS.get(width, f"of width {width}")})
    return None


def _words(source: Source) -> str:
    name = next((name for name in source.slots if "attn2.to_k" in name and name.endswith(("down", "down.weight"))), "")
    return WORDS.get(source.shape(name)[-1], "") if name else ""


TELLERS: tuple[Callable[[Source], Identity | None], ...] = (
    _adapter,
    _embedding,
    _controlnet,
    _model,
    _autoencoder,
    _encoder,
)
