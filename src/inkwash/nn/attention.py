"""Attention: pixels look at each other, and at words.  (Vaswani et al. 2017; Rombach et al. 2022, 3.3)"""

from collections.abc import Iterable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

from inkwash.nn.norm import GroupNorm


class Attention(nn.Module):
    """Multi-head attention of `x` to `context`, or to itself."""

    def __init__(self, width: int, heads: int, context_width: int | None = None) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k = nn.Linear(context_width or width, width, bias=False)
        self.to_v = nn.Linear(context_width or width, width, bias=False)
        self.to_out = nn.ModuleList([nn.Linear(width, width)])

    def split(self, x: Float[Tensor, "b n width"]) -> Float[Tensor, "b heads n head"]:
        """One head after the other."""
        b, n, width = x.shape
        return x.view(b, n, self.heads, width // self.heads).transpose(1, 2)

    def forward(
        self,
        x: Float[Tensor, "b n width"],
        context: Float[Tensor, "b m other"] | None = None,
        keep: Bool[Tensor, "b m"] | None = None,
    ) -> Float[Tensor, "b n width"]:
        """Every row of `x` gathers from the rows of `context` that `keep` marks."""
        source = x if context is None else context
        q, k, v = (self.split(part) for part in (self.to_q(x), self.to_k(source), self.to_v(source)))
        mask = None if keep is None else keep[:, None, None, :]
        gathered = attended(q, k, v, mask)
        return self.to_out[0](gathered.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]


def attended(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """(b, heads, n, head), twice (b, heads, m, head) -> (b, heads, n, head).

    Where there is something to learn on a CPU, short floats become float32: torch's way back through them takes up to
    six times as long on short sequences, and as long on long ones.
    """
    short = q.dtype in (torch.bfloat16, torch.float16)
    if not (short and q.requires_grad and q.device.type == "cpu"):
        return scaled_dot_product_attention(q, k, v, attn_mask=mask)
    with torch.autocast("cpu", enabled=False):
        return scaled_dot_product_attention(q.float(), k.float(), v.float(), attn_mask=mask).to(q.dtype)


class GatedLinear(nn.Module):
    """GEGLU: half of the features gate the other half.  (Shazeer 2020)"""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.proj = nn.Linear(width, inner * 2)

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) -> (..., inner)."""
        value, gate = self.proj(x).chunk(2, dim=-1)
        return value * gelu(gate)  # type: ignore[no-any-return]


class FeedForward(nn.Module):
    """GEGLU to four times the width, and back."""

    def __init__(self, width: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.net = nn.Sequential(GatedLinear(width, width * 4), nn.Dropout(dropout), nn.Linear(width * 4, width))

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) -> (..., width)."""
        return self.net(x)  # type: ignore[no-any-return]


class TransformerBlock(nn.Module):
    """Self-attention, cross-attention, feed-forward; each around a skip, each behind a LayerNorm.

    `only_words` makes the first attention a second look at the words (x4-upscaler).
    """

    def __init__(
        self, width: int, heads: int, context_width: int, *, dropout: float = 0.0, only_words: bool = False
    ) -> None:
        super().__init__()
        self.only_words = only_words
        self.norm1 = nn.LayerNorm(width)
        self.attn1 = Attention(width, heads, context_width if only_words else None)
        self.norm2 = nn.LayerNorm(width)
        self.attn2 = Attention(width, heads, context_width)
        self.norm3 = nn.LayerNorm(width)
        self.ff = FeedForward(width, dropout)

    def forward(self, x: Tensor, context: Tensor, keep: Tensor | None) -> Tensor:
        """(b, n, width) steered by (b, m, context_width)."""
        words = (context, keep) if self.only_words else ()
        x = x + self.attn1(self.norm1(x), *words)
        x = x + self.attn2(self.norm2(x), context, keep)
        return x + self.ff(self.norm3(x))  # type: ignore[no-any-return]


class SpatialTransformer(nn.Module):
    """Transformer blocks over the places of a feature map.

    SD 1 projects in and out with 1x1 convolutions, SD 2 and XL with linear layers: the same product, other shapes.
    """

    def __init__(self, width: int, blocks: Iterable[TransformerBlock], *, linear: bool) -> None:
        super().__init__()
        self.linear = linear
        self.norm = GroupNorm(32, width, eps=1e-6)
        self.proj_in = nn.Linear(width, width) if linear else nn.Conv2d(width, width, 1)
        self.transformer_blocks = nn.ModuleList(blocks)
        self.proj_out = nn.Linear(width, width) if linear else nn.Conv2d(width, width, 1)
        nn.init.zeros_(self.proj_out.weight)

    def forward(self, x: Tensor, context: Tensor, keep: Tensor | None = None) -> Tensor:
        """(b, width, h, w) -> the same, after every place has looked at the others and at the words."""
        places = x.shape[2:]
        h = self.norm(x)
        h = self.proj_in(rows(h)) if self.linear else rows(self.proj_in(h))
        for block in self.transformer_blocks:
            h = block(h, context, keep)
        h = grid(self.proj_out(h), places) if self.linear else self.proj_out(grid(h, places))
        return x + h


def rows(x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b n c"]:
    """A feature map as a list of places; free of copies in channels-last memory."""
    return x.permute(0, 2, 3, 1).flatten(1, 2)


def grid(x: Float[Tensor, "b n c"], places: tuple[int, ...]) -> Float[Tensor, "b c h w"]:
    """The inverse of `rows`."""
    return x.unflatten(1, places).permute(0, 3, 1, 2)  # type: ignore[no-any-return]
