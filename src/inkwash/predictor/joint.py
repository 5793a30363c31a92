"""A layer of the multimodal transformer: two streams that meet in attention.  (Esser et al. 2024, fig. 2b)"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import gelu, pad, scaled_dot_product_attention, silu

from inkwash.predictor.mmdit_spec import MMDiTSpec

EPS = 1e-6


class AdaptiveNorm(nn.Module):
    """LayerNorm whose scale, shift and gates are told by the step, and start at zero.  (Peebles & Xie 2023, 3.2)"""

    def __init__(self, width: int, parts: int) -> None:
        super().__init__()
        self.parts = parts
        self.linear = nn.Linear(width, parts * width)
        self.norm = nn.LayerNorm(width, EPS, elementwise_affine=False)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def told(self, step: Float[Tensor, "b width"]) -> tuple[Float[Tensor, "b 1 width"], ...]:
        """`parts` vectors for all tokens of a picture."""
        return self.linear(silu(step))[:, None].chunk(self.parts, dim=2)  # type: ignore[no-any-return]

    def final(self, x: Tensor, step: Tensor) -> Tensor:
        """(b, n, width) normed, for a norm with nothing to gate: it is told the scale before the shift."""
        scale, shift = self.told(step)
        return modulated(self.norm(x), shift, scale)


class JointAttention(nn.Module):
    """Picture and words attend to both, each with projections of its own; or the picture alone, to itself."""

    def __init__(self, spec: MMDiTSpec, *, words_in: bool, words_out: bool) -> None:
        super().__init__()
        self.heads, self.words_out = spec.heads, words_out
        self.to_q, self.to_k, self.to_v = (nn.Linear(spec.width, spec.width) for _ in range(3))
        self.to_out = nn.ModuleList([nn.Linear(spec.width, spec.width)])
        if words_in:
            self.add_q_proj, self.add_k_proj, self.add_v_proj = (nn.Linear(spec.width, spec.width) for _ in range(3))
            self.norm_added_q, self.norm_added_k = _head_norm(spec), _head_norm(spec)
        if words_out:
            self.to_add_out = nn.Linear(spec.width, spec.width)
        self.norm_q, self.norm_k = _head_norm(spec), _head_norm(spec)

    def forward(
        self, x: Float[Tensor, "b n width"], words: Tensor | None = None, keep: Bool[Tensor, "b m"] | None = None
    ) -> tuple[Float[Tensor, "b n width"], Tensor | None]:
        """What (b, n) patches and (b, m) words gather from each other, leaving words out that `keep` does not mark."""
        q, k, v = (
            self.norm_q(self._split(self.to_q(x))),
            self.norm_k(self._split(self.to_k(x))),
            self._split(self.to_v(x)),
        )
        if words is not None:
            k = torch.cat([k, self.norm_added_k(self._split(self.add_k_proj(words)))], dim=2)
            v = torch.cat([v, self._split(self.add_v_proj(words))], dim=2)
        if words is not None and self.words_out:
            q = torch.cat([q, self.norm_added_q(self._split(self.add_q_proj(words)))], dim=2)
        mask = None if keep is None else pad(keep, (x.shape[1], 0), value=True)[:, None, None, :]
        gathered = scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).flatten(2)
        said = self.to_add_out(gathered[:, x.shape[1] :]) if self.words_out else None
        return self.to_out[0](gathered[:, : x.shape[1]]), said

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)  # type: ignore[no-any-return]


class TanhLinear(nn.Module):
    """Linear, then GELU in its form with tanh."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.proj = nn.Linear(width, inner)

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) -> (..., inner)."""
        return gelu(self.proj(x), approximate="tanh")


class Mlp(nn.Module):
    """To four times the width, and back."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.net = nn.Sequential(TanhLinear(width, width * 4), nn.Identity(), nn.Linear(width * 4, width))

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) -> (..., width)."""
        return self.net(x)  # type: ignore[no-any-return]


class JointBlock(nn.Module):
    """One layer of both streams; in the last one the words are heard, but not carried on."""

    def __init__(self, spec: MMDiTSpec, index: int) -> None:
        super().__init__()
        dual, self.last = index in spec.dual, index == spec.depth - 1
        self.norm1 = AdaptiveNorm(spec.width, 9 if dual else 6)
        self.norm1_context = AdaptiveNorm(spec.width, 2 if self.last else 6)
        self.attn = JointAttention(spec, words_in=True, words_out=not self.last)
        if dual:
            self.attn2 = JointAttention(spec, words_in=False, words_out=False)
        self.norm2 = nn.LayerNorm(spec.width, EPS, elementwise_affine=False)
        self.ff = Mlp(spec.width)
        if not self.last:
            self.norm2_context = nn.LayerNorm(spec.width, EPS, elementwise_affine=False)
            self.ff_context = Mlp(spec.width)

    def forward(self, x: Tensor, words: Tensor, step: Tensor, keep: Tensor | None) -> tuple[Tensor, Tensor]:
        """(b, n, width) patches and (b, m, width) words, told (b, width) -> the same shapes."""
        shift, scale, gate, mlp_shift, mlp_scale, mlp_gate, *second = self.norm1.told(step)
        normed = self.norm1.norm(x)
        if self.last:
            seen, said = self.attn(modulated(normed, shift, scale), self.norm1_context.final(words, step), keep)
        else:
            told = self.norm1_context.told(step)
            heard = modulated(self.norm1_context.norm(words), told[0], told[1])
            seen, said = self.attn(modulated(normed, shift, scale), heard, keep)
            words = words + told[2] * said
            words = words + told[5] * self.ff_context(modulated(self.norm2_context(words), told[3], told[4]))
        x = x + gate * seen
        if second:
            x = x + second[2] * self.attn2(modulated(normed, second[0], second[1]))[0]
        return x + mlp_gate * self.ff(modulated(self.norm2(x), mlp_shift, mlp_scale)), words


def modulated(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """(1 + scale) x + shift."""
    return x * (1 + scale) + shift


def _head_norm(spec: MMDiTSpec) -> nn.Module:
    return nn.RMSNorm(spec.head_width, EPS) if spec.qk_norm else nn.Identity()
