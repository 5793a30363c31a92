"""Transformers that predict noise, as values.  (Esser et al. 2024)"""

from dataclasses import dataclass


@dataclass(frozen=True)
class MMDiTSpec:
    """All numbers of a multimodal diffusion transformer."""

    depth: int
    heads: int
    head_width: int = 64
    text_width: int = 4096
    pooled_width: int = 2048
    channels_in: int = 16
    channels_out: int = 16
    patch: int = 2
    """Latent places per side of a patch; a patch is one token."""
    positions: int = 192
    """Side of the table of positions, in patches: the largest picture."""
    side: int = 64
    """Patches per side that the whole table stands for: positions are counted in steps of side / positions."""
    qk_norm: bool = False
    """Queries and keys pass an RMSNorm, which keeps attention from saturating in half precision."""
    dual: tuple[int, ...] = ()
    """Blocks in which the picture looks a second time at itself alone."""

    @property
    def width(self) -> int:
        """Features of a token."""
        return self.heads * self.head_width


SD3_MEDIUM = MMDiTSpec(24, 24)
SD35_MEDIUM = MMDiTSpec(24, 24, positions=384, qk_norm=True, dual=tuple(range(13)))
SD35_LARGE = MMDiTSpec(38, 38, qk_norm=True)
TINY_MMDIT = MMDiTSpec(
    2,
    2,
    8,
    text_width=16,
    pooled_width=12,
    channels_in=4,
    channels_out=4,
    positions=24,
    side=8,
    qk_norm=True,
    dual=(0,),
)
