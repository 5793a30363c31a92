"""The Stable Diffusion U-Net, built from a table of stages.  (Ronneberger 2015; Ho 2020; Rombach 2022; Podell 2023)

Parameter names are those of the released diffusers folders, so such a file loads without renaming.
The network knows neither noise schedules nor samplers: it maps (x, t, words) to a picture-shaped answer.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import silu

from inkwash.errors import InvalidRequest
from inkwash.nn.attention import SpatialTransformer, TransformerBlock
from inkwash.nn.embedding import StepEmbedding, sinusoidal
from inkwash.nn.norm import GroupNorm
from inkwash.nn.resample import Downsample, Upsample
from inkwash.nn.residual import ResidualBlock
from inkwash.predictor.residuals import NOTHING, Residuals, summed
from inkwash.predictor.spec import UNetSpec
from inkwash.types import Latents, TextStates


class Stack(nn.Module):
    """Residual blocks of one resolution, each with its look at the words."""

    def __init__(self, spec: UNetSpec, index: int, widths: list[tuple[int, int]], depths: tuple[int, ...]) -> None:
        super().__init__()
        self.resnets = nn.ModuleList(_residual(spec, width_in, width) for width_in, width in widths)
        if any(depths):
            words = spec.stages[index].only_words
            self.attentions = nn.ModuleList(
                _transformer(spec, width, depth, words) if depth else nn.Identity()
                for (_, width), depth in zip(widths, depths, strict=True)
            )

    def step(self, index: int, x: Tensor, step: Tensor, text: TextStates) -> Tensor:
        """Residual block number `index` and its attention, if any."""
        x = self.resnets[index](x, step)
        if hasattr(self, "attentions") and isinstance(self.attentions[index], SpatialTransformer):
            x = self.attentions[index](x, text.states, text.keep)
        return x


class DownStack(Stack):
    """A stack on the way down; all but the last stage halve the map."""

    def __init__(self, spec: UNetSpec, index: int) -> None:
        width = spec.stages[index].channels
        width_in = spec.stages[max(index - 1, 0)].channels
        widths = [(width_in if block == 0 else width, width) for block in range(spec.blocks)]
        super().__init__(spec, index, widths, spec.depths_down(index))
        if index < len(spec.stages) - 1:
            self.downsamplers = nn.ModuleList([Downsample(width)])

    def forward(self, x: Tensor, step: Tensor, text: TextStates, added: tuple[Tensor, ...] = ()) -> list[Tensor]:
        """Every map on the way, the last one to go on with.

        `added`, at most one map, joins before the map is halved; in a stage that looks at no words, after it.
        """
        maps = []
        for index in range(len(self.resnets)):
            x = self.step(index, x, step, text)
            maps.append(x)
        if hasattr(self, "attentions"):
            maps[-1:] = summed((maps[-1],), added)
        if hasattr(self, "downsamplers"):
            maps.append(self.downsamplers[0](maps[-1]))
        if not hasattr(self, "attentions"):
            maps[-1:] = summed((maps[-1],), added)
        return maps


class UpStack(Stack):
    """A stack on the way up: every block also takes a map from the way down."""

    def __init__(self, spec: UNetSpec, index: int, skips: list[int]) -> None:
        stage, below = spec.stages[index], spec.stages[min(index + 1, len(spec.stages) - 1)]
        widths = [
            ((below.channels if block == 0 else stage.channels) + skips.pop(), stage.channels)
            for block in range(spec.blocks + 1)
        ]
        super().__init__(spec, index, widths, spec.depths_up(index))
        if index > 0:
            self.upsamplers = nn.ModuleList([Upsample(stage.channels)])

    def forward(self, x: Tensor, step: Tensor, text: TextStates, skips: list[Tensor]) -> Tensor:
        """Takes its maps from the end of `skips`."""
        for index in range(len(self.resnets)):
            x = self.step(index, torch.cat([x, skips.pop()], dim=1), step, text)
        if hasattr(self, "upsamplers"):
            size = skips[-1].shape[2:]  # the map to meet next: odd latents are not exactly twice their half
            x = self.upsamplers[0](x, (size[0], size[1]))
        return x


class MidStack(nn.Module):
    """The bottom of the U: residual, attention, residual; in some distilled networks one residual, or nothing."""

    def __init__(self, spec: UNetSpec) -> None:
        super().__init__()
        width = spec.stages[-1].channels
        self.resnets = nn.ModuleList(_residual(spec, width, width) for _ in range(spec.mid_blocks))
        self.attentions = nn.ModuleList(_transformer(spec, width, spec.mid_depth) for _ in self.resnets[1:])

    def forward(self, x: Tensor, step: Tensor, text: TextStates) -> Tensor:
        """(b, c, h, w) -> the same shape."""
        for index, block in enumerate(self.resnets):
            if index > 0:
                x = self.attentions[index - 1](x, text.states, text.keep)
            x = block(x, step)
        return x


class Descent(nn.Module):
    """The way down and the bottom: what a U-Net and its ControlNets have in common."""

    def __init__(self, spec: UNetSpec) -> None:
        super().__init__()
        self.spec = spec
        first = spec.stages[0].channels
        self.conv_in = nn.Conv2d(spec.channels_in, first, 3, padding=1)
        self.time_embedding = StepEmbedding(first, spec.step_width, spec.guidance_width)
        if spec.labels:
            silent = torch.zeros(spec.labels, spec.step_width)
            self.class_embedding: nn.Module = nn.Embedding.from_pretrained(silent, freeze=False)
        elif spec.label_width:
            self.class_embedding = StepEmbedding(spec.label_width, spec.step_width)
        if extra := spec.pooled_width + spec.size_numbers * spec.size_width:
            self.add_embedding = StepEmbedding(extra, spec.step_width)
        self.down_blocks = nn.ModuleList(DownStack(spec, index) for index in range(len(spec.stages)))
        self.mid_block = MidStack(spec)

    def told(self, t: Float[Tensor, " b"], text: TextStates, dtype: torch.dtype) -> Float[Tensor, "b width"]:
        """The vector that every block sees: the step, and for some networks more about the wanted picture."""
        spec = self.spec
        guidance = text.guidance if spec.guidance_width else None
        step = self.time_embedding(sinusoidal(t, spec.stages[0].channels).to(dtype), guidance)
        if spec.labels or spec.label_width:
            if text.label is None:
                raise InvalidRequest("label", None, "given: this network was taught with one for every picture")
            step = step + self.class_embedding(text.label)
        extra = [] if text.pooled is None or not spec.pooled_width else [text.pooled]
        if text.size is not None and spec.size_numbers:
            extra.append(sinusoidal(text.size.flatten(), spec.size_width).reshape(len(text.size), -1).to(dtype))
        if extra:
            step = step + self.add_embedding(torch.cat(extra, dim=-1))
        return step  # type: ignore[no-any-return]

    def descend(self, x: Tensor, step: Tensor, text: TextStates, added: Residuals) -> tuple[list[Tensor], Tensor]:
        """The first map on -> every map that crosses to the way up, and the one at the bottom."""
        skips = [x]
        for index, down in enumerate(self.down_blocks):
            skips += down(skips[-1], step, text, added.stages[index : index + 1])
        x = self.mid_block(skips[-1], step, text)
        bottom = added.stages[len(self.down_blocks) :]
        return list(summed(tuple(skips), added.skips)), summed((x,), bottom)[0]


class UNet(Descent):
    """A noise predictor: noisy latents of unit variance, the step t in 0…1000, and words -> what it was taught to tell.

    Starts as the constant zero: every residual branch and the last convolution begin with zero weights.
    """

    def __init__(self, spec: UNetSpec) -> None:
        super().__init__(spec)
        first, skips = spec.stages[0].channels, list(spec.skips())
        self.up_blocks = nn.ModuleList(UpStack(spec, index, skips) for index in reversed(range(len(spec.stages))))
        self.conv_norm_out = GroupNorm(32, first, eps=1e-5)
        self.conv_out = nn.Conv2d(first, spec.channels_out, 3, padding=1)
        nn.init.zeros_(self.conv_out.weight)
        nn.init.zeros_(self.conv_out.bias)  # type: ignore[arg-type]

    def forward(
        self, x: Latents, t: Float[Tensor, " b"], text: TextStates, added: Residuals = NOTHING
    ) -> Float[Tensor, "b out h w"]:
        """(b, channels_in, h, w), (b,) and a prompt per picture -> (b, channels_out, h, w).

        `text.beside` brings those of the channels that are not noisy; `added` is what other networks add on the way.
        """
        step = self.told(t, text, x.dtype)
        x = self.conv_in(x if text.beside is None else torch.cat([x, text.beside], dim=1))
        skips, x = self.descend(x, step, text, added)
        x = x if added.middle is None else summed((x,), (added.middle,))[0]
        for up in self.up_blocks:
            x = up(x, step, text, skips)
        return self.conv_out(silu(self.conv_norm_out(x)))  # type: ignore[no-any-return]


def _residual(spec: UNetSpec, width_in: int, width: int) -> ResidualBlock:
    return ResidualBlock(
        width_in, width, step_width=spec.step_width, scale_shift=spec.scale_shift, dropout=spec.dropout
    )


def _transformer(spec: UNetSpec, width: int, depth: int, only_words: bool = False) -> SpatialTransformer:
    blocks = (
        TransformerBlock(width, spec.heads_at(width), spec.text_width, dropout=spec.dropout, only_words=only_words)
        for _ in range(depth)
    )
    return SpatialTransformer(width, blocks, linear=spec.linear_projection)
