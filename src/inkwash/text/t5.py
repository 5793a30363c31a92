"""The encoder of T5 1.1, which reads long prompts for Stable Diffusion 3.  (Raffel et al. 2020; Shazeer 2020)

Parameter names are those of the released `text_encoder_3/` folders. Unlike CLIP every token sees all others, places
are told by a learned preference per distance, and scores are not divided by the root of the head's width.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

from inkwash.types import TextStates

EPS = 1e-6


@dataclass(frozen=True)
class T5Spec:
    """All numbers of an encoder; the defaults are those of T5 1.1 XXL."""

    width: int = 4096
    layers: int = 24
    heads: int = 64
    head_width: int = 64
    inner: int = 10_240
    """Width inside the perceptrons."""
    vocabulary: int = 32_128
    buckets: int = 32
    """Kinds of distance that attention tells apart, half of them back, half forward."""
    reach: int = 128
    """Distances from here on are one kind."""


T5_XXL = T5Spec()


class RelativeAttention(nn.Module):
    """Attention without scaling; only the first of the stack holds the table of preferences, all use it."""

    def __init__(self, spec: T5Spec, *, first: bool) -> None:
        super().__init__()
        self.spec, inner = spec, spec.heads * spec.head_width
        self.q, self.k, self.v = (nn.Linear(spec.width, inner, bias=False) for _ in range(3))
        self.o = nn.Linear(inner, spec.width, bias=False)
        if first:
            self.relative_attention_bias = nn.Embedding(spec.buckets, spec.heads)

    def preference(self, length: int) -> Float[Tensor, "1 heads n n"]:
        """What is added to the score of every pair of places."""
        places = torch.arange(length, device=self.relative_attention_bias.weight.device)
        found = buckets(places[None, :] - places[:, None], self.spec)
        return self.relative_attention_bias(found).permute(2, 0, 1)[None]  # type: ignore[no-any-return]

    def forward(self, x: Float[Tensor, "b n width"], scores: Float[Tensor, "#b heads n n"]) -> Tensor:
        """The same shape; `scores` are added before the softmax."""
        q, k, v = (part(x).unflatten(2, (self.spec.heads, -1)).transpose(1, 2) for part in (self.q, self.k, self.v))
        gathered = scaled_dot_product_attention(q, k, v, attn_mask=scores, scale=1.0)
        return self.o(gathered.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]


class AttentionPart(nn.Module):
    """Attention behind a norm, around a skip."""

    def __init__(self, spec: T5Spec, *, first: bool) -> None:
        super().__init__()
        self.SelfAttention = RelativeAttention(spec, first=first)
        self.layer_norm = nn.RMSNorm(spec.width, EPS)

    def forward(self, x: Tensor, scores: Tensor) -> Tensor:
        """(b, n, width) -> the same."""
        return x + self.SelfAttention(self.layer_norm(x), scores)  # type: ignore[no-any-return]


class GatedGelu(nn.Module):
    """wo(gelu(wi_0 x) · wi_1 x), the GELU in its form with tanh."""

    def __init__(self, spec: T5Spec) -> None:
        super().__init__()
        self.wi_0, self.wi_1 = (nn.Linear(spec.width, spec.inner, bias=False) for _ in range(2))
        self.wo = nn.Linear(spec.inner, spec.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) -> (..., width)."""
        return self.wo(gelu(self.wi_0(x), approximate="tanh") * self.wi_1(x))  # type: ignore[no-any-return]


class GatedPart(nn.Module):
    """The perceptron behind a norm, around a skip."""

    def __init__(self, spec: T5Spec) -> None:
        super().__init__()
        self.DenseReluDense = GatedGelu(spec)
        self.layer_norm = nn.RMSNorm(spec.width, EPS)

    def forward(self, x: Tensor) -> Tensor:
        """(b, n, width) -> the same."""
        return x + self.DenseReluDense(self.layer_norm(x))  # type: ignore[no-any-return]


class Block(nn.Module):
    """One layer, its two parts under their released names."""

    def __init__(self, spec: T5Spec, *, first: bool) -> None:
        super().__init__()
        self.layer = nn.ModuleList([AttentionPart(spec, first=first), GatedPart(spec)])


class Stack(nn.Module):
    """All layers, under their released names."""

    def __init__(self, spec: T5Spec, tokens: nn.Embedding) -> None:
        super().__init__()
        self.embed_tokens = tokens
        self.block = nn.ModuleList(Block(spec, first=index == 0) for index in range(spec.layers))
        self.final_layer_norm = nn.RMSNorm(spec.width, EPS)


class T5Encoder(nn.Module):
    """Tokens -> a state for each; no pooled vector.

    The vectors of the tokens have two names in files, `shared` and `encoder.embed_tokens`: `twice_named` adds
    the one that a file leaves out.
    """

    def __init__(self, spec: T5Spec) -> None:
        super().__init__()
        self.spec = spec
        self.shared = nn.Embedding(spec.vocabulary, spec.width)
        self.encoder = Stack(spec, self.shared)

    def forward(self, tokens: Int[Tensor, "b n"], keep: Bool[Tensor, "b n"] | None = None) -> TextStates:
        """(b, n) tokens -> states; those that `keep` does not mark are not looked at (Stable Diffusion marks all)."""
        x, blocks = self.shared(tokens), self.encoder.block
        scores = blocks[0].layer[0].SelfAttention.preference(tokens.shape[1])  # type: ignore[union-attr, index]
        if keep is not None:
            scores = scores.masked_fill(~keep[:, None, None, :], float("-inf"))
        for block in blocks:
            attend, think = block.layer  # type: ignore[misc]
            x = think(attend(x, scores))
        return TextStates(self.encoder.final_layer_norm(x))


def buckets(distance: Int[Tensor, "n m"], spec: T5Spec) -> Int[Tensor, "n m"]:
    """Kind of each distance: exact up to a quarter of the kinds, then ever coarser.  (Raffel et al. 2020, 2.1)"""
    half = spec.buckets // 2
    exact = half // 2
    far = distance.abs()
    coarse = (far.float() / exact).clamp(min=1).log() / math.log(spec.reach / exact) * (half - exact)
    kind = torch.where(far < exact, far, (exact + coarse.long()).clamp(max=half - 1))
    return kind + half * (distance > 0)


def twice_named(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """A file's tensors with both names of the tokens' vectors."""
    names = "shared.weight", "encoder.embed_tokens.weight"
    table = next((tensors[name] for name in names if name in tensors), None)
    return tensors if table is None else {**dict.fromkeys(names, table), **tensors}
