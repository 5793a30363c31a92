"""Names and shapes of the released networks as diffusers folders have them, written out by rules; no tensors."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from zlib import crc32

import torch

from inkwash.weights.containers.source import Slot, Source, in_memory

Slots = dict[str, tuple[int, ...]]


def linear(name: str, out: int, width: int, bias: bool = True) -> Slots:
    """A linear layer."""
    return {f"{name}.weight": (out, width)} | ({f"{name}.bias": (out,)} if bias else {})


def conv(name: str, out: int, width: int, kernel: int = 3) -> Slots:
    """A convolution."""
    return {f"{name}.weight": (out, width, kernel, kernel), f"{name}.bias": (out,)}


def norm(name: str, width: int) -> Slots:
    """A norm with scale and shift."""
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def residual(name: str, width: int, out: int, step: int) -> Slots:
    """A residual block; `step` is 0 in autoencoders."""
    found = norm(f"{name}.norm1", width) | conv(f"{name}.conv1", out, width) | norm(f"{name}.norm2", out)
    found |= conv(f"{name}.conv2", out, out) | (linear(f"{name}.time_emb_proj", out, step) if step else {})
    return found | (conv(f"{name}.conv_shortcut", out, width, 1) if width != out else {})


Look = tuple[int, bool, bool]
"""Width of the words, whether linear layers lead in, and whether words are all that is looked at."""


def transformer(name: str, width: int, depth: int, look: Look) -> Slots:
    """A spatial transformer of `depth` blocks."""
    words, flat, crossed = look
    found = norm(f"{name}.norm", width)
    for project in (f"{name}.proj_in", f"{name}.proj_out"):
        found |= linear(project, width, width) if flat else conv(project, width, width, 1)
    for block in (f"{name}.transformer_blocks.{n}" for n in range(depth)):
        for attention, inner in (("attn1", words if crossed else width), ("attn2", words)):
            found |= linear(f"{block}.{attention}.to_q", width, width, False)
            found |= linear(f"{block}.{attention}.to_k", width, inner, False)
            found |= linear(f"{block}.{attention}.to_v", width, inner, False)
            found |= linear(f"{block}.{attention}.to_out.0", width, width)
        found |= linear(f"{block}.ff.net.0.proj", 8 * width, width) | linear(f"{block}.ff.net.2", width, 4 * width)
        for number in (1, 2, 3):
            found |= norm(f"{block}.norm{number}", width)
    return found


@dataclass(frozen=True)
class Net:
    """A U-Net, or with `up` False a ControlNet."""

    channels: tuple[int, ...]
    depths: tuple[tuple[int, ...], int, tuple[int, ...]]
    words: int
    flat: bool = True
    blocks: int = 2
    channels_in: int = 4
    added: int = 0
    labelled: int = 0
    classes: int = 0
    guided: int = 0
    crossed: tuple[bool, ...] = (False,) * 4
    up: bool = True

    def slots(self) -> Slots:
        """Its names and shapes."""
        skips = [self.channels[0]]
        found = self.ends() | self.way_down(skips) | self.middle()
        return found | (self.way_up(skips) if self.up else control(self.channels, self.blocks))

    def ends(self) -> Slots:
        """What stands before, behind and beside the blocks."""
        first, step = self.channels[0], 4 * self.channels[0]
        found = conv("conv_in", first, self.channels_in)
        found |= norm("conv_norm_out", first) | conv("conv_out", 4, first) if self.up else {}
        found |= linear("time_embedding.linear_1", step, first) | linear("time_embedding.linear_2", step, step)
        found |= {"time_embedding.cond_proj.weight": (first, self.guided)} if self.guided else {}
        found |= {"class_embedding.weight": (self.classes, step)} if self.classes else {}
        for name, width in (("add_embedding", self.added), ("class_embedding", self.labelled)):
            found |= linear(f"{name}.linear_1", step, width) | linear(f"{name}.linear_2", step, step) if width else {}
        return found

    def way_down(self, skips: list[int]) -> Slots:
        """The levels on the way down; their widths go to `skips`."""
        found: Slots = {}
        for level, out in enumerate(self.channels):
            for layer in range(self.blocks):
                found |= residual(f"down_blocks.{level}.resnets.{layer}", skips[-1], out, 4 * self.channels[0])
                name, depth = f"down_blocks.{level}.attentions.{layer}", self.depths[0][level * self.blocks + layer]
                found |= transformer(name, out, depth, self.look(level)) if depth else {}
                skips.append(out)
            if level < len(self.channels) - 1:
                found |= conv(f"down_blocks.{level}.downsamplers.0.conv", out, out)
                skips.append(out)
        return found

    def middle(self) -> Slots:
        """The bottom of the U."""
        width, depth, step = self.channels[-1], self.depths[1], 4 * self.channels[0]
        found = residual("mid_block.resnets.0", width, width, step) if depth > -2 else {}
        if depth > 0:
            found |= transformer("mid_block.attentions.0", width, depth, (self.words, self.flat, False))
            found |= residual("mid_block.resnets.1", width, width, step)
        return found

    def way_up(self, skips: list[int]) -> Slots:
        """The levels on the way up, which take the widths back."""
        found: Slots = {}
        width, rows = self.channels[-1], self.blocks + 1
        for level, out in enumerate(reversed(self.channels)):
            for layer in range(rows):
                found |= residual(f"up_blocks.{level}.resnets.{layer}", width + skips.pop(), out, 4 * self.channels[0])
                name, depth = f"up_blocks.{level}.attentions.{layer}", self.depths[2][level * rows + layer]
                found |= transformer(name, out, depth, self.look(len(self.channels) - 1 - level)) if depth else {}
                width = out
            if level < len(self.channels) - 1:
                found |= conv(f"up_blocks.{level}.upsamplers.0.conv", out, out)
        return found

    def look(self, level: int) -> "Look":
        """How transformers of a level look at words."""
        return self.words, self.flat, self.crossed[level]


def control(channels: tuple[int, ...], blocks: int) -> Slots:
    """What a ControlNet has beside the way down."""
    name, widths = "controlnet_cond_embedding", (16, 16, 32, 32, 96, 96, 256)
    found = conv(f"{name}.conv_in", 16, 3) | conv(f"{name}.conv_out", channels[0], 256)
    for number in range(6):
        found |= conv(f"{name}.blocks.{number}", widths[number + 1], widths[number])
    zeros = [channels[0]]
    for level, width in enumerate(channels):
        zeros += [width] * (blocks + (level < len(channels) - 1))
    for number, width in enumerate(zeros):
        found |= conv(f"controlnet_down_blocks.{number}", width, width, 1)
    return found | conv("controlnet_mid_block", channels[-1], channels[-1], 1)


def union(width: int, kinds: int) -> Slots:
    """What a union ControlNet has beside a ControlNet."""
    layer, step = "transformer_layes.0", 4 * width
    found: Slots = {"task_embedding": (kinds, width), f"{layer}.attn.in_proj_weight": (3 * width, width)}
    found |= {f"{layer}.attn.in_proj_bias": (3 * width,)} | linear(f"{layer}.attn.out_proj", width, width)
    found |= norm(f"{layer}.ln_1", width) | norm(f"{layer}.ln_2", width) | linear("spatial_ch_projs", width, width)
    found |= linear(f"{layer}.mlp.c_fc", 4 * width, width) | linear(f"{layer}.mlp.c_proj", width, 4 * width)
    added = "control_add_embedding.linear_"
    return found | linear(f"{added}1", step, 256 * kinds) | linear(f"{added}2", step, step)


def control_lora(net: "Net", rank: int) -> Slots:
    """A change of low rank to the way down of a U-Net, under diffusers names."""
    found: Slots = {"lora_controlnet": (0,)}
    for name, shape in net.slots().items():
        if name.startswith("controlnet") or len(shape) < 2:
            found[name] = shape
            continue
        stem, few = name.removesuffix(".weight"), min(rank, shape[0], prod(shape[1:]))
        found |= {f"{stem}.up": (shape[0], few, *(1 for _ in shape[2:])), f"{stem}.down": (few, *shape[1:])}
    return found


def vae(channels: tuple[int, ...] = (128, 256, 512, 512), latents: int = 4, quant: bool = True) -> Slots:
    """A KL autoencoder."""
    found = conv("encoder.conv_in", channels[0], 3) | conv("decoder.conv_in", channels[-1], latents)
    for side, blocks, order in (("encoder.down", 2, channels), ("decoder.up", 3, channels[::-1])):
        width = order[0]
        sampler = "downsamplers" if side == "encoder.down" else "upsamplers"
        for level, out in enumerate(order):
            for layer in range(blocks):
                found |= residual(f"{side}_blocks.{level}.resnets.{layer}", width, out, 0)
                width = out
            if level < len(order) - 1:
                found |= conv(f"{side}_blocks.{level}.{sampler}.0.conv", out, out)
        part, inner = side.partition(".")[0], channels[-1]
        found |= norm(f"{part}.mid_block.attentions.0.group_norm", inner)
        for name in ("to_q", "to_k", "to_v", "to_out.0"):
            found |= linear(f"{part}.mid_block.attentions.0.{name}", inner, inner)
        for number in (0, 1):
            found |= residual(f"{part}.mid_block.resnets.{number}", inner, inner, 0)
        found |= norm(f"{part}.conv_norm_out", order[-1])
    found |= conv("encoder.conv_out", 2 * latents, channels[-1]) | conv("decoder.conv_out", 3, channels[0])
    if quant:
        found |= conv("quant_conv", 2 * latents, 2 * latents, 1) | conv("post_quant_conv", latents, latents, 1)
    return found


def clip(width: int, layers: int, projection: int = 0, vocabulary: int = 49408) -> Slots:
    """A text encoder of the CLIP family."""
    found: Slots = {"text_model.embeddings.token_embedding.weight": (vocabulary, width)}
    found |= {"text_model.embeddings.position_embedding.weight": (77, width)}
    for layer in (f"text_model.encoder.layers.{n}" for n in range(layers)):
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            found |= linear(f"{layer}.self_attn.{name}", width, width)
        found |= norm(f"{layer}.layer_norm1", width) | norm(f"{layer}.layer_norm2", width)
        found |= linear(f"{layer}.mlp.fc1", 4 * width, width) | linear(f"{layer}.mlp.fc2", width, 4 * width)
    found |= norm("text_model.final_layer_norm", width)
    return found | ({"text_projection.weight": (projection, width)} if projection else {})


def t5(width: int = 4096, layers: int = 24, inner: int = 10240) -> Slots:
    """The encoder of T5 v1.1."""
    found: Slots = {"shared.weight": (32128, width), "encoder.final_layer_norm.weight": (width,)}
    for number in range(layers):
        block = f"encoder.block.{number}.layer"
        found |= {f"{block}.0.SelfAttention.{name}.weight": (width, width) for name in "qkvo"}
        found |= {f"{block}.{place}.layer_norm.weight": (width,) for place in (0, 1)}
        found |= {f"{block}.1.DenseReluDense.{name}.weight": (inner, width) for name in ("wi_0", "wi_1")}
        found[f"{block}.1.DenseReluDense.wo.weight"] = (width, inner)
    return found | {"encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight": (32, width // 64)}


def mmdit(depth: int, side: int, normed: bool = False, dual: int = 0, head: int = 64, words: int = 4096) -> Slots:
    """SD 3's transformer."""
    width, pooled = depth * head, words // 2
    found: Slots = {"pos_embed.pos_embed": (1, side * side, width)} | conv("pos_embed.proj", width, 16, 2)
    for name, inner in (("timestep_embedder", 256), ("text_embedder", pooled)):
        found |= linear(f"time_text_embed.{name}.linear_1", width, inner)
        found |= linear(f"time_text_embed.{name}.linear_2", width, width)
    found |= linear("context_embedder", width, words)
    for number in range(depth):
        block, last = f"transformer_blocks.{number}", number == depth - 1
        twice = number < dual
        found |= linear(f"{block}.norm1.linear", (9 if twice else 6) * width, width)
        found |= linear(f"{block}.norm1_context.linear", (2 if last else 6) * width, width)
        names = ["attn.to_q", "attn.to_k", "attn.to_v", "attn.to_out.0"]
        names += ["attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"] + ([] if last else ["attn.to_add_out"])
        names += ["attn2.to_q", "attn2.to_k", "attn2.to_v", "attn2.to_out.0"] if twice else []
        for name in names:
            found |= linear(f"{block}.{name}", width, width)
        if normed:
            norms = ["attn.norm_q", "attn.norm_k", "attn.norm_added_q", "attn.norm_added_k"]
            norms += ["attn2.norm_q", "attn2.norm_k"] if twice else []
            found |= {f"{block}.{name}.weight": (head,) for name in norms}
        for name in ["ff"] if last else ["ff", "ff_context"]:
            found |= linear(f"{block}.{name}.net.0.proj", 4 * width, width)
            found |= linear(f"{block}.{name}.net.2", width, 4 * width)
    return found | linear("norm_out.linear", 2 * width, width) | linear("proj_out", 64, width)


SD = ((1, 1, 1, 1, 1, 1, 0, 0), 1, (0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1))
XL = ((0, 0, 2, 2, 10, 10), 10, (10, 10, 10, 2, 2, 2, 0, 0, 0))
REFINER = ((0, 0, 4, 4, 4, 4, 0, 0), 4, (0, 0, 0, 4, 4, 4, 4, 4, 4, 0, 0, 0))
UPSCALER = ((0, 0, 1, 1, 1, 1, 1, 1), 1, (1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0))
SSD = ((0, 0, 2, 2, 4, 4), -1, (4, 4, 10, 2, 1, 1, 0, 0, 0))
VEGA = ((0, 0, 1, 1, 2, 2), -1, (2, 2, 2, 1, 1, 1, 0, 0, 0))
KOALA7 = ((0, 2, 5), -2, (5, 5, 2, 2, 0, 0))
KOALA1 = ((0, 2, 6), 6, (6, 6, 2, 2, 0, 0))
BASE = ((1, 1, 1, 0), 1, (0, 0, 1, 1, 1, 1, 1, 1))
SMALL = ((1, 1, 1, 0), -2, (0, 0, 1, 1, 1, 1, 1, 1))
TINY = ((1, 1, 1), -2, (1, 1, 1, 1, 1, 1))
CROSSED = (True, True, True, False)


def unets(width: int = 320, narrow: int = 1) -> Mapping[str, Slots]:
    """Every released U-Net; `narrow` divides the widths of words and extras."""
    four, three = (width, 2 * width, 4 * width, 4 * width), (width, 2 * width, 4 * width)
    big = width * 6 // 5
    one, two, xl, pooled = 768 // narrow, 1024 // narrow, 2048 // narrow, 1280 // narrow
    nets = {
        "sd1": Net(four, SD, one, False),
        "sd1-inpaint": Net(four, SD, one, False, channels_in=9),
        "sd1-edit": Net(four, SD, one, False, channels_in=8),
        "sd1-lcm": Net(four, SD, one, False, guided=256),
        "sd2": Net(four, SD, two),
        "sd2-depth": Net(four, SD, two, channels_in=5),
        "sd2-unclip-h": Net(four, SD, two, labelled=2048 // narrow),
        "x4-upscaler": Net(
            (width * 4 // 5, width * 8 // 5, width * 8 // 5, width * 16 // 5), UPSCALER, two, classes=1000,
            channels_in=7, crossed=CROSSED,
        ),
        "sdxl": Net(three, XL, xl, added=2816 // narrow),
        "sdxl-inpaint": Net(three, XL, xl, added=2816 // narrow, channels_in=9),
        "sdxl-refiner": Net((big, 2 * big, 4 * big, 4 * big), REFINER, pooled, added=2560 // narrow),
        "ssd-1b": Net(three, SSD, xl, added=2816 // narrow),
        "vega": Net(three, VEGA, xl, added=2816 // narrow),
        "koala-700m": Net(three, KOALA7, xl, added=2816 // narrow, blocks=1),
        "koala-1b": Net(three, KOALA1, xl, added=2816 // narrow, blocks=1),
        "bk-sdm-base": Net(four, BASE, one, False, blocks=1),
        "bk-sdm-small": Net(four, SMALL, one, False, blocks=1),
        "bk-sdm-tiny": Net(three, TINY, one, False, blocks=1),
    }  # fmt: skip
    return {name: net.slots() for name, net in nets.items()}


def crc(slots: Slots) -> int:
    """The checksum by which goldens know a set of names and shapes."""
    return crc32("\n".join(f"{name} {list(shape)}" for name, shape in sorted(slots.items())).encode())


def named(slots: Slots, what: str = "here", dtype: str = "F32") -> Source:
    """A source that has names and shapes only; reading one of its tensors fails."""

    def fetch(name: str) -> torch.Tensor:
        raise AssertionError(f"{name} was read")

    return Source(what, {name: Slot(dtype, shape) for name, shape in slots.items()}, fetch)


def filled(slots: Slots, seed: int = 0) -> Source:
    """A source whose tensors are noise, every one of them different."""
    generator = torch.Generator().manual_seed(seed)
    return in_memory({name: torch.randn(shape, generator=generator) for name, shape in slots.items()})


def under(prefix: str, slots: Slots) -> Slots:
    """The same names behind a prefix."""
    return {prefix + name: shape for name, shape in slots.items()}


def differing(found: Source, wanted: Source) -> Iterator[str]:
    """What is missing, unknown or not the same bits."""
    yield from (f"missing {name}" for name in wanted.slots.keys() - found.slots.keys())
    yield from (f"unknown {name}" for name in found.slots.keys() - wanted.slots.keys())
    for name in wanted.slots.keys() & found.slots.keys():
        have, want = found[name], wanted[name]
        if found.slots[name] != wanted.slots[name] or have.dtype != want.dtype or not torch.equal(have, want):
            yield name
