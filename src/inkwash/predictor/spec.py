"""Noise predictors as values: one table of stages per network."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from inkwash.errors import InvalidRequest


@dataclass(frozen=True)
class Stage:
    """One resolution of the U-Net."""

    channels: int
    depth: int = 0
    """Transformer blocks behind each residual block; 0 looks at no words."""
    down: tuple[int, ...] = ()
    """The depth behind each block on the way down, where it is not `depth` for all."""
    up: tuple[int, ...] = ()
    """The same on the way up, where a stage has one block more."""
    only_words: bool = False
    """Places look at the words twice, and not at each other (x4-upscaler)."""


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
    """Transformer blocks at the bottom."""
    mid_blocks: int = 2
    """Residual blocks at the bottom: 2 with attention between them, 1 alone (SSD-1B), 0 for no bottom (KOALA-700M)."""
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
    size_width: int = 256
    """Features per such number."""
    labels: int = 0
    """Rows of a table of which one joins the step (x4-upscaler: levels of noise); 0 for no table."""
    label_width: int = 0
    """Width of a vector that joins it instead (unCLIP: what a picture shows)."""
    guidance_width: int = 0
    """Features about the strength of guidance that join it (LCM: 256)."""
    dropout: float = 0.0

    @property
    def step_width(self) -> int:
        """Width of the vector that tells every block the step."""
        return self.stages[0].channels * 4

    def heads_at(self, channels: int) -> int:
        """Attention heads where the map is `channels` wide."""
        return self.heads or channels // self.head_width

    def depths_down(self, index: int) -> tuple[int, ...]:
        """Transformer blocks behind every residual block of a stage on the way down."""
        return self._depths(index, self.stages[index].down, self.blocks)

    def depths_up(self, index: int) -> tuple[int, ...]:
        """The same on the way up."""
        return self._depths(index, self.stages[index].up, self.blocks + 1)

    def _depths(self, index: int, listed: tuple[int, ...], blocks: int) -> tuple[int, ...]:
        if listed and len(listed) != blocks:
            raise InvalidRequest(f"depths of stage {index}", listed, f"a list of {blocks}")
        return listed or (self.stages[index].depth,) * blocks

    def skips(self) -> Iterator[int]:
        """Channels of the maps that cross from the way down to the way up, in order of their birth."""
        yield self.stages[0].channels
        for index, stage in enumerate(self.stages):
            yield from [stage.channels] * self.blocks
            if index < len(self.stages) - 1:
                yield stage.channels


SD15 = UNetSpec((Stage(320, 1), Stage(640, 1), Stage(1280, 1), Stage(1280)), heads=8)
SD21 = UNetSpec((Stage(320, 1), Stage(640, 1), Stage(1280, 1), Stage(1280)), text_width=1024, linear_projection=True)
X4 = UNetSpec(
    (Stage(256), Stage(512, 1, only_words=True), Stage(512, 1, only_words=True), Stage(1024, 1)),
    text_width=1024,
    channels_in=7,
    heads=8,
    linear_projection=True,
    labels=1000,
)
SDXL = UNetSpec(
    (Stage(320), Stage(640, 2), Stage(1280, 10)),
    text_width=2048,
    mid_depth=10,
    linear_projection=True,
    pooled_width=1280,
    size_numbers=6,
)
REFINER = replace(
    SDXL, stages=(Stage(384), Stage(768, 4), Stage(1536, 4), Stage(1536)), text_width=1280, mid_depth=4, size_numbers=5
)
RELEASED: Mapping[str, UNetSpec] = {
    "sd15": SD15,
    "sd15-inpaint": replace(SD15, channels_in=9),
    "instruct-pix2pix": replace(SD15, channels_in=8),
    "lcm": replace(SD15, guidance_width=256),
    "sd21": SD21,
    "sd21-inpaint": replace(SD21, channels_in=9),
    "sd21-depth": replace(SD21, channels_in=5),
    "sd21-unclip-h": replace(SD21, label_width=2048),
    "sd21-unclip-l": replace(SD21, label_width=1536),
    "x4-upscaler": X4,
    "sdxl": SDXL,
    "sdxl-inpaint": replace(SDXL, channels_in=9),
    "sdxl-refiner": REFINER,
    "lcm-sdxl": replace(SDXL, guidance_width=256),
    # Smaller ones, distilled from the above.
    "ssd-1b": replace(
        SDXL, stages=(Stage(320), Stage(640, 2, up=(2, 1, 1)), Stage(1280, 4, up=(4, 4, 10))), mid_blocks=1, mid_depth=0
    ),
    "vega": replace(SDXL, stages=(Stage(320), Stage(640, 1), Stage(1280, 2)), mid_blocks=1, mid_depth=0),
    "koala-700m": replace(
        SDXL, stages=(Stage(320), Stage(640, 2), Stage(1280, 5)), blocks=1, mid_blocks=0, mid_depth=0
    ),
    "koala-1b": replace(SDXL, stages=(Stage(320), Stage(640, 2), Stage(1280, 6)), blocks=1, mid_depth=6),
    "bk-sdm-base": replace(SD15, blocks=1),
    "bk-sdm-small": replace(SD15, blocks=1, mid_blocks=0, mid_depth=0),
    "bk-sdm-tiny": replace(
        SD15, stages=(Stage(320, 1), Stage(640, 1), Stage(1280, 1)), blocks=1, mid_blocks=0, mid_depth=0
    ),
    "sdxs": replace(SD21, stages=(Stage(320), Stage(640, 1), Stage(1280, 1)), blocks=1, mid_blocks=0, mid_depth=0),
}
"""Every released network of this kind; turbo, lightning and finetunes have the tables of what they came from."""
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
