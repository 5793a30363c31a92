"""The Stable Diffusion U-Net, built from a table of stages.  (Ronneberger 2015; Ho 2020; Rombach 2022; Podell 2023)

Parameter names are those of the released diffusers folders, so such a file loads without renaming.
The network knows neither noise schedules nor samplers: it maps (x, t, words) to a picture-shaped answer.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import silu

from inkwash.nn.attention import SpatialTransformer
from inkwash.nn.embedding import StepEmbedding, sinusoidal
from inkwash.nn.resample import Downsample, Upsample
from inkwash.nn.residual import ResidualBlock
from inkwash.predictor.spec import UNetSpec
from inkwash.types import Latents, TextStates

SIZE_WIDTH = 256  # features per number of SDXL's micro-conditioning


class Stack(nn.Module):
    """Residual blocks of one resolution, each with its look at the words."""

    def __init__(self, spec: UNetSpec, widths: list[tuple[int, int]], depth: int) -> None:
        super().__init__()
        self.resnets = nn.ModuleList(_residual(spec, width_in, width) for width_in, width in widths)
        if depth:
            self.attentions = nn.ModuleList(_transformer(spec, width, depth) for _, width in widths)

    def step(self, index: int, x: Tensor, step: Tensor, text: TextStates) -> Tensor:
        """Residual block number `index` and its attention, if any."""
        x = self.resnets[index](x, step)
        if hasattr(self, "attentions"):
            x = self.attentions[index](x, text.states, text.keep)
        return x


class DownStack(Stack):
    """A stack on the way down; all but the last stage halve the map."""

    def __init__(self, spec: UNetSpec, index: int) -> None:
        width = spec.stages[index].channels
        width_in = spec.stages[max(index - 1, 0)].channels
        widths = [(width_in if block == 0 else width, width) for block in range(spec.blocks)]
        super().__init__(spec, widths, spec.stages[index].depth)
        if index < len(spec.stages) - 1:
            self.downsamplers = nn.ModuleList([Downsample(width)])

    def forward(self, x: Tensor, step: Tensor, text: TextStates) -> list[Tensor]:
        """Every map on the way, the last one to go on with."""
        maps = []
        for index in range(len(self.resnets)):
            x = self.step(index, x, step, text)
            maps.append(x)
        if hasattr(self, "downsamplers"):
            maps.append(self.downsamplers[0](x))
        return maps


class UpStack(Stack):
    """A stack on the way up: every block also takes a map from the way down."""

    def __init__(self, spec: UNetSpec, index: int, skips: list[int]) -> None:
        stage, below = spec.stages[index], spec.stages[min(index + 1, len(spec.stages) - 1)]
        widths = [
            ((below.channels if block == 0 else stage.channels) + skips.pop(), stage.channels)
            for block in range(spec.blocks + 1)
        ]
        super().__init__(spec, widths, stage.depth)
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
    """The bottom of the U: residual, attention, residual."""

    def __init__(self, spec: UNetSpec) -> None:
        super().__init__()
        width = spec.stages[-1].channels
        self.resnets = nn.ModuleList(_residual(spec, width, width) for _ in range(2))
        self.attentions = nn.ModuleList([_transformer(spec, width, spec.mid_depth)])

    def forward(self, x: Tensor, step: Tensor, text: TextStates) -> Tensor:
        """(b, c, h, w) -> the same shape."""
        x = self.attentions[0](self.resnets[0](x, step), text.states, text.keep)
        return self.resnets[1](x, step)  # type: ignore[no-any-return]


class UNet(nn.Module):
    """A noise predictor: noisy latents of unit variance, the step t in 0…1000, and words -> what it was taught to tell.

    Starts as the constant zero: every residual branch and the last convolution begin with zero weights.
    """

    def __init__(self, spec: UNetSpec) -> None:
        super().__init__()
        self.spec = spec
        first, skips = spec.stages[0].channels, list(spec.skips())
        self.conv_in = nn.Conv2d(spec.channels_in, first, 3, padding=1)
        self.time_embedding = StepEmbedding(first, spec.step_width)
        if extra := spec.pooled_width + spec.size_numbers * SIZE_WIDTH:
            self.add_embedding = StepEmbedding(extra, spec.step_width)
        self.down_blocks = nn.ModuleList(DownStack(spec, index) for index in range(len(spec.stages)))
        self.mid_block = MidStack(spec)
        self.up_blocks = nn.ModuleList(UpStack(spec, index, skips) for index in reversed(range(len(spec.stages))))
        self.conv_norm_out = nn.GroupNorm(32, first, eps=1e-5)
        self.conv_out = nn.Conv2d(first, spec.channels_out, 3, padding=1)
        nn.init.zeros_(self.conv_out.weight)
        nn.init.zeros_(self.conv_out.bias)  # type: ignore[arg-type]

    def forward(self, x: Latents, t: Float[Tensor, " b"], text: TextStates) -> Float[Tensor, "b out h w"]:
        """(b, channels_in, h, w), (b,) and a prompt per picture -> (b, channels_out, h, w)."""
        step = self.told(t, text, x.dtype)
        x = self.conv_in(x)
        skips = [x]
        for down in self.down_blocks:
            skips += down(skips[-1], step, text)
        x = self.mid_block(skips[-1], step, text)
        for up in self.up_blocks:
            x = up(x, step, text, skips)
        return self.conv_out(silu(self.conv_norm_out(x)))  # type: ignore[no-any-return]

    def told(self, t: Float[Tensor, " b"], text: TextStates, dtype: torch.dtype) -> Float[Tensor, "b width"]:
        """The vector that every block sees: the step, and for some networks the pooled prompt and the sizes."""
        step = self.time_embedding(sinusoidal(t, self.spec.stages[0].channels).to(dtype))
        extra = [] if text.pooled is None or not self.spec.pooled_width else [text.pooled]
        if text.size is not None and self.spec.size_numbers:
            extra.append(sinusoidal(text.size.flatten(), SIZE_WIDTH).reshape(len(text.size), -1).to(dtype))
        if extra:
            step = step + self.add_embedding(torch.cat(extra, dim=-1))
        return step  # type: ignore[no-any-return]


def _residual(spec: UNetSpec, width_in: int, width: int) -> ResidualBlock:
    return ResidualBlock(
        width_in, width, step_width=spec.step_width, scale_shift=spec.scale_shift, dropout=spec.dropout
    )


def _transformer(spec: UNetSpec, width: int, depth: int) -> SpatialTransformer:
    heads = spec.heads_at(width)
    return SpatialTransformer(
        width, heads, spec.text_width, depth=depth, linear=spec.linear_projection, dropout=spec.dropout
    )
