"""What is added to a model rather than being one: told from the names of its tensors."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from inkwash.weights.containers.source import Source

DOWN = (".lora_down.weight", ".lora.down.weight", "_lora.down.weight", ".lora_A.weight", ".lora_A.default.weight",
        ".lora_linear_layer.down.weight")  # fmt: skip
KINDS: Mapping[str, tuple[str, ...]] = {
    "dora": (".dora_scale", ".lora_magnitude_vector", ".lora_magnitude_vector.weight"),
    "loha": (".hada_w1_a", ".hada_w1_b"),
    "lokr": (".lokr_w1", ".lokr_w1_a"),
    "oft": (".oft_blocks", ".oft_diag"),
    "ia3": (".on_input",),
    "glora": (".a1.weight",),
    "lora": DOWN,
    "norm": (".w_norm",),
    "full": (".diff", ".diff_b"),
}
"""Kinds of changes by the ends of names; of a file that has several, the first here names it."""
RANKS: tuple[str, ...] = (*DOWN, ".hada_w1_b", ".lokr_w1_b", ".lokr_w2_b")
"""Tensors whose first axis is the rank."""
NAMINGS: Mapping[str, tuple[str, ...]] = {
    "kohya": ("lora_unet_", "lora_te", "lycoris_", "lora_prior_"),
    "peft": ("base_model.model.",),
    "comfy": ("diffusion_model.", "clip_l.", "clip_g.", "text_encoders."),
    "diffusers": ("unet.", "transformer.", "text_encoder.", "text_encoder_2.", "down_blocks.", "mid_block."),
}
WORDS: Mapping[int, str] = {768: "sd1", 1024: "sd2", 2048: "sdxl", 1280: "sdxl-refiner"}
LOOK = re.compile(r"attn2[._](processor[._])?to_[kv]")


@dataclass(frozen=True)
class Adapter:
    """A change to a model's weights, or an addition to its network."""

    kind: str
    """lora, loha, lokr, dora, full, norm, oft, ia3, glora; controlnet, t2i-adapter, ip-adapter …"""
    family: str
    """Whose; '' where the names do not tell."""
    naming: str = ""
    rank: str = ""
    """One number, or the smallest and the largest."""
    modules: int = 0
    """How many places of the network it changes."""
    parts: tuple[str, ...] = ()


def low_rank(source: Source) -> Adapter | None:
    """A LoRA or a relative of it, under any naming; None if it is none."""
    ends = Counter(kind for name in source.slots for kind, tails in KINDS.items() if name.endswith(tails))
    kind = next((kind for kind in KINDS if ends[kind]), None)
    if kind is None:
        return None
    ranks = sorted({slot.shape[0] for name, slot in source.slots.items() if slot.shape and name.endswith(RANKS)})
    span = "" if not ranks else str(ranks[0]) if len(ranks) == 1 else f"{ranks[0]} to {ranks[-1]}"
    naming = next((naming for naming, heads in NAMINGS.items() if any(n.startswith(heads) for n in source.slots)), "")
    return Adapter(kind, _target(source), naming, span, len({_module(name) for name in source.slots}), _parts(source))


def _module(name: str) -> str:
    """The place that a tensor belongs to: its name without what the kinds of changes append."""
    tails = r"\.(lora[_.].*|alpha|hada_.*|lokr_.*|dora_scale|diff|diff_b|[wb]_norm|oft_.*|on_input|weight|bias)$"
    return re.sub(tails, "", re.sub(r"_lora\..*$|\.lora_linear_layer\..*$", "", name))


def _target(source: Source) -> str:
    """The family, from the widths of the words it looks at, else from names that only one family has."""
    names = list(source.slots)
    if any("joint_blocks" in n or "add_q_proj" in n or n.startswith("transformer.transformer_blocks") for n in names):
        return "sd3"
    for name in names:
        if LOOK.search(name) and name.endswith((*DOWN, ".hada_w1_b", ".hada_w2_b", ".diff")):
            width = source.shape(name)[1] if len(source.shape(name)) > 1 else 0
            if width in WORDS:
                return WORDS[width]
    if any("te2_" in n or n.startswith(("text_encoder_2.", "clip_g.")) for n in names):
        return "sdxl"
    text = [n for n in names if n.endswith(DOWN) and "q_proj" in n]
    return WORDS.get(source.shape(text[0])[1], "") if text else ""


def _parts(source: Source) -> tuple[str, ...]:
    """unet or transformer, and text encoders, that it changes."""
    heads = {
        "unet": ("lora_unet_", "unet.", "diffusion_model.", "down_blocks.", "mid_block.", "up_blocks.", "lycoris_"),
        "transformer": ("transformer.",),
        "text_encoder": ("lora_te_", "lora_te1_", "text_encoder.", "clip_l."),
        "text_encoder_2": ("lora_te2_", "text_encoder_2.", "clip_g."),
        "text_encoder_3": ("lora_te3_", "text_encoder_3."),
    }
    return tuple(part for part, head in heads.items() if any(name.startswith(head) for name in source.slots))


def ip_adapter(source: Source) -> Adapter | None:
    """An IP-Adapter, by the shape of what turns a picture into words; None if it is none."""
    keys = [name for name in source.slots if re.match(r"ip_adapter[./].*to_k_ip\.weight", name)]
    if not keys:
        return None
    inside = {re.sub(r"^image_proj[./]", "", name) for name in source.slots if re.match(r"image_proj[./]", name)}
    kind = "plain"
    if any(name.startswith("perceiver_resampler.") for name in inside):
        kind = "faceid-plus"
    elif "latents" in inside:
        kind = "plus"
    elif "proj.3.weight" in inside:
        kind = "full"
    elif "proj.0.weight" in inside:
        kind = "faceid"
    words = Counter(source.shape(name)[-1] for name in keys).most_common(1)[0][0]
    return Adapter(f"ip-adapter {kind}", WORDS.get(words, ""), modules=len(keys))


def t2i_adapter(source: Source) -> Adapter | None:
    """A T2I-Adapter, full or light, under its own or under diffusers names; None if it is none."""
    names = {name.removeprefix("adapter.") for name in source.slots}
    if any(name.startswith(("extractor.", "body.0.in_conv.")) for name in names):
        return Adapter("t2i-adapter light", "sd1")
    if not any(re.match(r"body\.\d+\.(resnets\.\d+\.)?block1\.weight", name) for name in names):
        return None
    first = source.shape("conv_in.weight") or source.shape("adapter.conv_in.weight")
    larger = len(first) > 1 and first[1] >= 256 * 3
    return Adapter("t2i-adapter", "sdxl" if larger else "sd1")
