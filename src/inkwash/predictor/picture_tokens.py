"""Pictures as tokens: what a vision tower says of a picture, made into rows that a predictor can look at.

Three kinds, as in the released IP-Adapters, under the names of their parameters.  (Ye et al. 2023, 3.2)
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

Features = Float[Tensor, "b features"] | Float[Tensor, "b patches features"]
"""What a vision tower says of a picture: one vector, or one per patch."""
PictureTokens = Float[Tensor, "b _ width"]


@dataclass(frozen=True)
class IPAdapterSpec:
    """All numbers of an IP-Adapter."""

    widths: tuple[int, ...]
    """Of every cross-attention of its U-Net in the order down, up, bottom; see `cross_widths`."""
    text_width: int = 768
    picture_width: int = 1024
    kind: Literal["plain", "full", "plus"] = "plain"
    """plain: from one vector; full: from all patches, one by one; plus: from all patches through a resampler."""
    tokens: int = 4
    """A picture becomes that many; `full` makes one of every patch."""
    inner_width: int = 768
    """Of the resampler."""
    depth: int = 4
    """Layers of the resampler."""
    head_width: int = 64


class Projection(nn.Module):
    """One vector -> a few tokens."""

    def __init__(self, spec: IPAdapterSpec) -> None:
        super().__init__()
        self.proj = nn.Linear(spec.picture_width, spec.tokens * spec.text_width)
        self.norm = nn.LayerNorm(spec.text_width)

    def forward(self, features: Float[Tensor, "b features"]) -> PictureTokens:
        """(b, picture_width) -> (b, tokens, text_width)."""
        return self.norm(self.proj(features).unflatten(1, (-1, self.norm.normalized_shape[0])))  # type: ignore[no-any-return]


class PatchProjection(nn.Module):
    """Every patch -> a token."""

    def __init__(self, spec: IPAdapterSpec) -> None:
        super().__init__()
        wide, width = spec.picture_width, spec.text_width
        self.proj = nn.Sequential(nn.Linear(wide, wide), nn.GELU(), nn.Linear(wide, width), nn.LayerNorm(width))

    def forward(self, features: Float[Tensor, "b patches features"]) -> PictureTokens:
        """(b, patches, picture_width) -> (b, patches, text_width)."""
        return self.proj(features)  # type: ignore[no-any-return]


class ResamplerAttention(nn.Module):
    """A few latents look at all patches and at each other.  (Perceiver: Jaegle et al. 2021; Flamingo: Alayrac 2022)"""

    def __init__(self, spec: IPAdapterSpec) -> None:
        super().__init__()
        width = spec.inner_width
        self.heads = width // spec.head_width
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_kv = nn.Linear(width, 2 * width, bias=False)
        self.to_out = nn.Linear(width, width, bias=False)

    def forward(self, patches: Float[Tensor, "b n width"], latents: Float[Tensor, "b m width"]) -> Tensor:
        """(b, n, width), (b, m, width) -> (b, m, width)."""
        patches, latents = self.norm1(patches), self.norm2(latents)
        k, v = self.to_kv(torch.cat([patches, latents], dim=1)).chunk(2, dim=2)
        q, k, v = (part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in (self.to_q(latents), k, v))
        return self.to_out(scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))  # type: ignore[no-any-return]


class ResamplerLayer(nn.ModuleList):
    """Attention and perceptron, each around a skip."""

    def __init__(self, spec: IPAdapterSpec) -> None:
        super().__init__([ResamplerAttention(spec), _feed_forward(spec.inner_width)])

    def forward(self, patches: Float[Tensor, "b n width"], latents: Float[Tensor, "b m width"]) -> Tensor:
        """(b, n, width), (b, m, width) -> (b, m, width)."""
        latents = self[0](patches, latents) + latents
        return self[1](latents) + latents  # type: ignore[no-any-return]


class Resampler(nn.Module):
    """All patches -> a few tokens."""

    def __init__(self, spec: IPAdapterSpec) -> None:
        super().__init__()
        width = spec.inner_width
        self.latents = nn.Parameter(torch.empty(1, spec.tokens, width))
        nn.init.uniform_(self.latents, -(width**-0.5), width**-0.5)
        self.proj_in = nn.Linear(spec.picture_width, width)
        self.layers = nn.ModuleList(ResamplerLayer(spec) for _ in range(spec.depth))
        self.proj_out = nn.Linear(width, spec.text_width)
        self.norm_out = nn.LayerNorm(spec.text_width)

    def forward(self, features: Float[Tensor, "b patches features"]) -> PictureTokens:
        """(b, patches, picture_width) -> (b, tokens, text_width)."""
        patches, latents = self.proj_in(features), self.latents.expand(len(features), -1, -1)
        for layer in self.layers:
            latents = layer(patches, latents)
        return self.norm_out(self.proj_out(latents))  # type: ignore[no-any-return]


PROJECTIONS = {"plain": Projection, "full": PatchProjection, "plus": Resampler}


def _feed_forward(width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.LayerNorm(width),
        nn.Linear(width, 4 * width, bias=False),
        nn.GELU(),
        nn.Linear(4 * width, width, bias=False),
    )
