"""ControlNet: a copy of the way down that looks at a hint and adds to the U-Net's maps.  (Zhang et al. 2023)

Parameter names are those of the released diffusers folders.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import silu

from inkwash.errors import InvalidRequest
from inkwash.predictor.residuals import ALWAYS, NOTHING, Residuals, acting, as_many
from inkwash.predictor.spec import UNetSpec
from inkwash.predictor.unet import Descent
from inkwash.types import Latents, TextStates

Hint = Float[Tensor, "#b hints height width"]
"""A picture of lines, depths, poses …, values in [0, 1]; one for all pictures, or one for each."""
HINT_WIDTHS = (16, 32, 96, 256)
HINT_FACTOR = 8
"""Pixels of a hint per latent along a side."""


class HintEncoder(nn.Module):
    """Pixels of a hint -> a map as wide and large as the U-Net's first."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(channels, HINT_WIDTHS[0], 3, padding=1)
        self.blocks = nn.ModuleList()
        for narrow, wide in pairwise(HINT_WIDTHS):
            self.blocks.append(nn.Conv2d(narrow, narrow, 3, padding=1))
            self.blocks.append(nn.Conv2d(narrow, wide, 3, padding=1, stride=2))
        self.conv_out = _zeros(nn.Conv2d(HINT_WIDTHS[-1], width, 3, padding=1))

    def forward(self, hint: Hint) -> Float[Tensor, "#b wide h w"]:
        """(b, hints, 8h, 8w) -> (b, width, h, w)."""
        x = silu(self.conv_in(hint))
        for block in self.blocks:
            x = silu(block(x))
        return self.conv_out(x)  # type: ignore[no-any-return]


class Onlooker(Descent):
    """The U-Net's way down once more, with an encoder of hints, and a 1x1 convolution behind every map."""

    def __init__(self, spec: UNetSpec, hint_channels: int = 3) -> None:
        super().__init__(spec)
        width, bottom = spec.stages[0].channels, spec.stages[-1].channels
        self.controlnet_cond_embedding = HintEncoder(hint_channels, width)
        self.controlnet_down_blocks = nn.ModuleList(_zeros(nn.Conv2d(each, each, 1)) for each in spec.skips())
        self.controlnet_mid_block = _zeros(nn.Conv2d(bottom, bottom, 1))

    def entered(self, x: Latents) -> Tensor:
        """The first map; `x` may have more channels than it knows (inpainting), and it looks at the first ones."""
        return self.conv_in(x[:, : self.spec.channels_in])  # type: ignore[no-any-return]

    def encoded(self, hint: Hint, x: Latents) -> Tensor:
        """The hint as a map as large as `x`.  Raises InvalidRequest for one that is not 8 times as large."""
        wanted = tuple(HINT_FACTOR * side for side in x.shape[2:])
        if tuple(hint.shape[2:]) != wanted:
            raise InvalidRequest("hint", tuple(hint.shape[2:]), f"{wanted[0]} x {wanted[1]} pixels as the picture")
        return self.controlnet_cond_embedding(hint)  # type: ignore[no-any-return]

    def said(self, x: Tensor, step: Tensor, text: TextStates) -> Residuals:
        """All the way down from the first map: what a U-Net is to add."""
        skips, x = self.descend(x, step, text, NOTHING)
        told = zip(self.controlnet_down_blocks, skips, strict=True)
        return Residuals(tuple(conv(each) for conv, each in told), self.controlnet_mid_block(x))


class ControlNet(Onlooker):
    """One that was taught a single kind of hint."""

    def forward(self, x: Latents, t: Float[Tensor, " b"], text: TextStates, hint: Hint) -> Residuals:
        """What a U-Net asked the same is to add, at full strength.

        Raises InvalidRequest for a hint that is not 8 times as large as the latents.
        """
        seen = self.encoded(hint, x)
        return self.said(self.entered(x) + seen, self.told(t, text, x.dtype), text)


@dataclass(frozen=True)
class Control:
    """A ControlNet at work: its hint, and how strongly and when it acts."""

    network: ControlNet
    hint: Hint
    scale: float = 1.0
    soft: bool = False
    """Weak on fine maps, full at the bottom, evenly in the logarithm ("guess mode", meant for the wanted words)."""
    averaged: bool = False
    """Residuals are averaged over all places: the shuffle model knows of colours and not of shapes."""
    interval: tuple[float, float] = ALWAYS
    """Steps t at which it acts."""

    def residuals(self, x: Latents, t: Float[Tensor, " b"], text: TextStates) -> Residuals:
        """What it adds to a U-Net that is asked the same."""
        if not acting(t, self.interval):
            return NOTHING
        found = weighed(self.network(x, t, text, as_many(self.hint, len(x))), self.scale, soft=self.soft)
        if not self.averaged or found.middle is None:
            return found
        skips = tuple(each.mean((2, 3), keepdim=True) for each in found.skips)
        return Residuals(skips, found.middle.mean((2, 3), keepdim=True))


def weighed(found: Residuals, scale: float, *, soft: bool) -> Residuals:
    """What a ControlNet says, times `scale`; `soft` lets it grow from a tenth of that to the whole at the bottom."""
    maps = [*found.skips, *([] if found.middle is None else [found.middle])]
    strengths = torch.logspace(-1, 0, len(maps)) if soft else torch.ones(len(maps))
    maps = [each * (scale * strength) for each, strength in zip(maps, strengths.tolist(), strict=True)]
    return Residuals(tuple(maps[:-1]), maps[-1])


def _zeros(conv: nn.Conv2d) -> nn.Conv2d:
    """Training starts from a ControlNet that says nothing."""
    for weight in conv.parameters():
        nn.init.zeros_(weight)
    return conv
