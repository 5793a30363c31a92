"""ControlNets of Stable Diffusion 3: transformers that look at latents of a hint and add to the large one's blocks.

Two kinds were released. One is a copy of the transformer's first blocks and hears the words, too (InstantX); the other
has blocks of pictures alone, and begins with the large transformer's own patches (Stability). Parameter names are those
of the released diffusers folders.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from inkwash.errors import InvalidRequest
from inkwash.nn.attention import rows
from inkwash.predictor.joint import EPS, AdaptiveNorm, JointAttention, JointBlock, Mlp, modulated
from inkwash.predictor.mmdit import Patches, Told
from inkwash.predictor.mmdit_spec import MMDiTSpec
from inkwash.predictor.residuals import ALWAYS, NOTHING, Residuals, acting, as_many
from inkwash.types import Latents, TextStates

Tokens = Float[Tensor, "b n width"]
Seen = Float[Tensor, "#b seen high wide"]
"""Latents of a hint, and what stands beside them; one for all pictures, or one for each."""


@dataclass(frozen=True)
class JointControlSpec:
    """All numbers of such a network, and what no shape tells."""

    blocks: MMDiTSpec
    """Its own transformer, which ends nowhere: a residual leaves every block."""
    beside: int = 0
    """Channels beside the hint's latents; 1: the mask of a hole."""
    worded: bool = True
    """Its blocks hear the words."""
    placed: bool = True
    """It has patches of its own; else it takes those of the network that it helps."""
    silent: bool = True
    """It was taught with zeros for the pooled prompt, and with latents that are scaled and not shifted."""
    glaring: bool = False
    """It was taught with hints from 1/2 to 128 instead of -1 to 1: Stability's edges."""


class PictureBlock(nn.Module):
    """A block of the transformer without words."""

    def __init__(self, spec: MMDiTSpec) -> None:
        super().__init__()
        self.norm1 = AdaptiveNorm(spec.width, 6)
        self.attn = JointAttention(replace(spec, qk_norm=False), words_in=False, words_out=False)
        self.norm2 = nn.LayerNorm(spec.width, EPS, elementwise_affine=False)
        self.ff = Mlp(spec.width)

    def forward(self, x: Tokens, step: Float[Tensor, "b width"]) -> Tokens:
        """(b, n, width) patches, told (b, width) -> the same shape."""
        shift, scale, gate, mlp_shift, mlp_scale, mlp_gate = self.norm1.told(step)
        x = x + gate * self.attn(modulated(self.norm1.norm(x), shift, scale))[0]
        return x + mlp_gate * self.ff(modulated(self.norm2(x), mlp_shift, mlp_scale))  # type: ignore[no-any-return]


class HintPatches(nn.Module):
    """Patches of a hint, which have their places from those they are added to."""

    def __init__(self, channels: int, spec: MMDiTSpec) -> None:
        super().__init__()
        self.proj = _zeros(nn.Conv2d(channels, spec.width, spec.patch, stride=spec.patch))

    def forward(self, seen: Seen) -> Tokens:
        """(b, seen, h, w) -> a row per patch."""
        return rows(self.proj(seen))


class JointControlNet(nn.Module):
    """Latents, step, words and a hint -> a list of what blocks of the large transformer are to add."""

    def __init__(self, spec: JointControlSpec) -> None:
        super().__init__()
        self.spec, blocks = spec, spec.blocks
        if spec.placed:
            self.pos_embed = Patches(blocks)
        self.time_text_embed = Told(blocks)
        if spec.worded:
            self.context_embedder = nn.Linear(blocks.text_width, blocks.width)
        endless = replace(blocks, depth=blocks.depth + 1)
        self.transformer_blocks = nn.ModuleList(
            JointBlock(endless, index) if spec.worded else PictureBlock(blocks) for index in range(blocks.depth)
        )
        self.controlnet_blocks = nn.ModuleList(
            _zeros(nn.Linear(blocks.width, blocks.width)) for _ in range(blocks.depth)
        )
        self.pos_embed_input = HintPatches(blocks.channels_in + spec.beside, blocks)

    def forward(
        self,
        x: Latents,
        t: Float[Tensor, " b"],
        text: TextStates,
        seen: Seen,
        patches: Callable[[Latents], Tokens] | None = None,
    ) -> tuple[Tokens, ...]:
        """What blocks of a transformer asked the same are to add, at full strength: (b, n, width) from every block.

        `patches` are those of that transformer. Raises InvalidRequest for a hint of another size, for a prompt without
        a pooled vector, and where patches are needed and not given.
        """
        if seen.shape[2:] != x.shape[2:]:
            raise InvalidRequest("hint", tuple(seen.shape[2:]), f"latents of {tuple(x.shape[2:])} as the picture")
        if text.pooled is None:
            raise InvalidRequest(
                "text", "without a pooled vector", f"pooled to {self.spec.blocks.pooled_width} numbers"
            )
        begin = self.pos_embed if self.spec.placed else patches
        if begin is None:
            raise InvalidRequest("patches", None, "those of the transformer: this ControlNet has none of its own")
        step = self.time_text_embed(t, torch.zeros_like(text.pooled) if self.spec.silent else text.pooled)
        x, found = begin(x) + self.pos_embed_input(seen), []
        words = self.context_embedder(text.states) if self.spec.worded else None
        for block, tell in zip(self.transformer_blocks, self.controlnet_blocks, strict=True):
            if words is None:
                x = block(x, step)
            else:
                x, words = block(x, words, step, text.keep)
            found.append(tell(x))
        return tuple(found)


@dataclass(frozen=True)
class JointControl:
    """A ControlNet of Stable Diffusion 3 at work: its hint, and how strongly and when it acts."""

    network: JointControlNet
    seen: Seen
    scale: float = 1.0
    interval: tuple[float, float] = ALWAYS
    """Steps t at which it acts."""
    patches: Callable[[Latents], Tokens] | None = None
    """Of the transformer that is helped."""

    def residuals(self, x: Latents, t: Float[Tensor, " b"], text: TextStates) -> Residuals:
        """What it adds to a transformer that is asked the same; its `skips` are for the blocks."""
        if not acting(t, self.interval):
            return NOTHING
        found = self.network(x, t, text, as_many(self.seen, len(x)), self.patches)
        return Residuals(tuple(each * self.scale for each in found))


def _zeros(layer: nn.Conv2d | nn.Linear) -> nn.Module:
    """Training starts from a ControlNet that says nothing."""
    for weight in layer.parameters():
        nn.init.zeros_(weight)
    return layer
