"""Noise predictors as values: one table of stages per network."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """One resolution of the U-Net."""

    channels: int
    depth: int = 0
    """Transformer blocks behind each residual block; 0 looks at no words."""


@dataclass(frozen=True)
class UNetSpec:
    """All numbers of a U-Net; the widest map first."""

    stages: tuple[Stage, ...]
    text_width: int = 768
    channels_in: int = 4
    channels_out: int = 4
    blocks: int = 2
    """Residual blocks per stage on the way down; one more on the way up."""
    mid_depth: int = 1
    heads: int | None = None
    """Heads of every attention; None derives them from head_width."""
    head_width: int = 64
    linear_projection: bool = False
    scale_shift: bool = False
    """The step scales and shifts the second norm of a block (AdaGN) instead of being added before it."""
    pooled_width: int = 0
    """Width of the prompt's pooled vector that joins the step; 0 for none."""
    size_numbers: int = 0
    """How many numbers about the wanted picture join it (SDXL: 6)."""
    dropout: float = 0.0

    @property
    def step_width(self) -> int:
        """Width of the vector that tells every block the step."""
        return self.stages[0].channels * 4

    def heads_at(self, channels: int) -> int:
        """Attention heads where the map is `channels` wide."""
        return self.heads or channels // self.head_width

    def skips(self) -> Iterator[int]:
        """Channels of the maps that cross from the way down to the way up, in order of their birth."""
        yield self.stages[0].channels
        for index, stage in enumerate(self.stages):
            yield from [stage.channels] * self.blocks
            if index < len(self.stages) - 1:
                yield stage.channels


SD15 = UNetSpec((Stage(320, 1), Stage(640, 1), Stage(1280, 1), Stage(1280)), heads=8)
SD21 = UNetSpec((Stage(320, 1), Stage(640, 1), Stage(1280, 1), Stage(1280)), text_width=1024, linear_projection=True)
SDXL = UNetSpec(
    (Stage(320), Stage(640, 2), Stage(1280, 10)),
    text_width=2048,
    mid_depth=10,
    linear_projection=True,
    pooled_width=1280,
    size_numbers=6,
)
TINY = UNetSpec((Stage(32), Stage(64, 1)), text_width=16, blocks=1, head_width=32)
PETS = UNetSpec(
    (Stage(64), Stage(128, 1), Stage(256, 1)),
    text_width=256,
    channels_in=8,
    channels_out=8,
    blocks=1,
    linear_projection=True,
    scale_shift=True,
    pooled_width=256,
)
"""17 million parameters for pictures of 128 pixels; ../training/recipes.py teaches it."""
