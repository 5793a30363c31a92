"""The stack of layers that both of CLIP's towers are: of words, and of pictures.  (Radford et al. 2021, 2.4)"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

Activation = Literal["gelu", "quick_gelu"]


@dataclass(frozen=True)
class TowerSpec:
    """All numbers of a stack."""

    width: int
    layers: int
    heads: int
    inner: int
    """Width inside the perceptrons."""
    activation: Activation
    causal: bool
    """A token looks at itself and at those before it, or else at all."""


class SelfAttention(nn.Module):
    """Every token looks at the others."""

    def __init__(self, spec: TowerSpec) -> None:
        super().__init__()
        self.heads, self.causal = spec.heads, spec.causal
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(spec.width, spec.width) for _ in range(4))
        for linear in (self.q_proj, self.k_proj, self.v_proj):
            nn.init.normal_(linear.weight, std=spec.width**-0.5)
        nn.init.normal_(self.out_proj.weight, std=(2 * spec.layers * spec.width) ** -0.5)

    def forward(self, x: Float[Tensor, "b n width"]) -> Float[Tensor, "b n width"]:
        """The same shape."""
        q, k, v = (part(x).unflatten(2, (self.heads, -1)).transpose(1, 2) for part in self._parts())
        gathered = scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        return self.out_proj(gathered.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]

    def _parts(self) -> tuple[nn.Module, nn.Module, nn.Module]:
        return self.q_proj, self.k_proj, self.v_proj


class Mlp(nn.Module):
    """To a greater width, and back."""

    def __init__(self, spec: TowerSpec) -> None:
        super().__init__()
        self.activation = ACTIVATIONS[spec.activation]
        self.fc1 = nn.Linear(spec.width, spec.inner)
        self.fc2 = nn.Linear(spec.inner, spec.width)
        nn.init.normal_(self.fc1.weight, std=(2 * spec.width) ** -0.5)
        nn.init.normal_(self.fc2.weight, std=(2 * spec.layers * spec.width) ** -0.5)

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) -> (..., width)."""
        return self.fc2(self.activation(self.fc1(x)))  # type: ignore[no-any-return]


class Layer(nn.Module):
    """Attention and perceptron, each behind a LayerNorm and around a skip."""

    def __init__(self, spec: TowerSpec) -> None:
        super().__init__()
        self.layer_norm1, self.self_attn = nn.LayerNorm(spec.width), SelfAttention(spec)
        self.layer_norm2, self.mlp = nn.LayerNorm(spec.width), Mlp(spec)

    def forward(self, x: Tensor) -> Tensor:
        """(b, n, width) -> the same."""
        x = x + self.self_attn(self.layer_norm1(x))
        return x + self.mlp(self.layer_norm2(x))  # type: ignore[no-any-return]


class Layers(nn.Module):
    """The stack, under its released name."""

    def __init__(self, spec: TowerSpec) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer(spec) for _ in range(spec.layers))

    def forward(self, x: Float[Tensor, "b n width"]) -> list[Float[Tensor, "b n width"]]:
        """What goes in, and what comes out of every layer."""
        outputs = [x]
        for layer in self.layers:
            outputs.append(layer(outputs[-1]))
        return outputs


def quick_gelu(x: Tensor) -> Tensor:
    """x * sigmoid(1.702 x), with which CLIP-L was trained.  (Hendrycks & Gimpel 2016, 2)"""
    return x * torch.sigmoid(1.702 * x)


ACTIVATIONS: dict[Activation, Callable[[Tensor], Tensor]] = {"gelu": gelu, "quick_gelu": quick_gelu}
