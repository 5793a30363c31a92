"""The text transformer: tokens become vectors that a predictor can look at.  (CLIP: Radford et al. 2021, 2.4)

Parameter names are those of the released `text_encoder/` folders, so such a file loads without renaming.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

from inkwash.errors import InvalidRequest
from inkwash.types import TextStates

Activation = Literal["gelu", "quick_gelu"]


@dataclass(frozen=True)
class TextSpec:
    """All numbers of a text transformer."""

    width: int
    layers: int
    heads: int
    tokens: int = 77
    vocabulary: int = 49_408
    end: int = 49_407
    """The token whose state stands for the whole prompt."""
    activation: Activation = "gelu"
    projection: int = 0
    """Width of the projected pooled vector; 0 leaves it as it is."""
    skip: int = 0
    """Layers at the end that the token states do not pass ("clip skip" less one); the pooled vector passes all."""
    normed: bool = True
    """Token states pass the final LayerNorm (SD 1 and 2 do, SDXL does not)."""
    mask_padding: bool = False
    """Tell the predictor which tokens are padding; the released networks look at padding too."""

    @property
    def pooled(self) -> int:
        """Width of the pooled vector."""
        return self.projection or self.width


CLIP_L = TextSpec(768, 12, 12, activation="quick_gelu")
PETS_TEXT = TextSpec(256, 4, 4, tokens=32, vocabulary=2048, end=2047, mask_padding=True)
"""3.7 million parameters; ../training/text.py teaches it."""


class Embeddings(nn.Module):
    """A vector per token and one per position."""

    def __init__(self, spec: TextSpec) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(spec.vocabulary, spec.width)
        self.position_embedding = nn.Embedding(spec.tokens, spec.width)
        nn.init.normal_(self.token_embedding.weight, std=0.02)
        nn.init.normal_(self.position_embedding.weight, std=0.01)

    def forward(self, tokens: Int[Tensor, "b n"]) -> Float[Tensor, "b n width"]:
        """Tokens -> vectors."""
        return self.token_embedding(tokens) + self.position_embedding.weight[: tokens.shape[1]]  # type: ignore[no-any-return]


class CausalAttention(nn.Module):
    """Every token looks at itself and at those before it."""

    def __init__(self, spec: TextSpec) -> None:
        super().__init__()
        self.heads = spec.heads
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(spec.width, spec.width) for _ in range(4))
        for linear in (self.q_proj, self.k_proj, self.v_proj):
            nn.init.normal_(linear.weight, std=spec.width**-0.5)
        nn.init.normal_(self.out_proj.weight, std=(2 * spec.layers * spec.width) ** -0.5)

    def forward(self, x: Float[Tensor, "b n width"]) -> Float[Tensor, "b n width"]:
        """The same shape."""
        q, k, v = (part(x).unflatten(2, (self.heads, -1)).transpose(1, 2) for part in self._parts())
        gathered = scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out_proj(gathered.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]

    def _parts(self) -> tuple[nn.Module, nn.Module, nn.Module]:
        return self.q_proj, self.k_proj, self.v_proj


class Mlp(nn.Module):
    """To four times the width, and back."""

    def __init__(self, spec: TextSpec) -> None:
        super().__init__()
        self.activation = ACTIVATIONS[spec.activation]
        self.fc1 = nn.Linear(spec.width, spec.width * 4)
        self.fc2 = nn.Linear(spec.width * 4, spec.width)
        nn.init.normal_(self.fc1.weight, std=(2 * spec.width) ** -0.5)
        nn.init.normal_(self.fc2.weight, std=(2 * spec.layers * spec.width) ** -0.5)

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) -> (..., width)."""
        return self.fc2(self.activation(self.fc1(x)))  # type: ignore[no-any-return]


class TextLayer(nn.Module):
    """Attention and perceptron, each behind a LayerNorm and around a skip."""

    def __init__(self, spec: TextSpec) -> None:
        super().__init__()
        self.layer_norm1, self.self_attn = nn.LayerNorm(spec.width), CausalAttention(spec)
        self.layer_norm2, self.mlp = nn.LayerNorm(spec.width), Mlp(spec)

    def forward(self, x: Tensor) -> Tensor:
        """(b, n, width) -> the same."""
        x = x + self.self_attn(self.layer_norm1(x))
        return x + self.mlp(self.layer_norm2(x))  # type: ignore[no-any-return]


class Layers(nn.Module):
    """The stack, under its released name."""

    def __init__(self, spec: TextSpec) -> None:
        super().__init__()
        self.layers = nn.ModuleList(TextLayer(spec) for _ in range(spec.layers))


class TextEncoder(nn.Module):
    """A text transformer: tokens -> states of every token, and one pooled vector, the state of the end token."""

    def __init__(self, spec: TextSpec) -> None:
        super().__init__()
        self.spec = spec
        self.embeddings = Embeddings(spec)
        self.encoder = Layers(spec)
        self.final_layer_norm = nn.LayerNorm(spec.width)
        if spec.projection:
            self.text_projection = nn.Linear(spec.width, spec.projection, bias=False)

    def forward(self, tokens: Int[Tensor, "b n"], skip: int = 0) -> TextStates:
        """(b, n) tokens, n at most `spec.tokens`. Padding may be cut off: no token sees what follows it.

        `skip` layers at the end are skipped besides those that the spec skips.
        Raises InvalidRequest if there are not so many.
        """
        most = self.spec.layers - self.spec.skip - 1
        if not 0 <= skip <= most:
            raise InvalidRequest("skipped layers", skip, f"from 0 to {most}")
        x = self.embeddings(tokens)
        outputs = []
        for layer in self.encoder.layers:
            x = layer(x)
            outputs.append(x)
        seen = outputs[-1 - self.spec.skip - skip]
        ends = (tokens == self.spec.end).int().argmax(dim=1)  # the first: padding may repeat it
        pooled = self.final_layer_norm(x[torch.arange(len(x), device=x.device), ends])
        if self.spec.projection:
            pooled = self.text_projection(pooled)
        states = self.final_layer_norm(seen) if self.spec.normed else seen
        return TextStates(states, pooled, self._keep(tokens, ends) if self.spec.mask_padding else None)

    @staticmethod
    def _keep(tokens: Tensor, ends: Tensor) -> Tensor:
        return torch.arange(tokens.shape[1], device=tokens.device) <= ends[:, None]


def quick_gelu(x: Tensor) -> Tensor:
    """x * sigmoid(1.702 x), with which CLIP-L was trained.  (Hendrycks & Gimpel 2016, 2)"""
    return x * torch.sigmoid(1.702 * x)


ACTIVATIONS: dict[Activation, Callable[[Tensor], Tensor]] = {"gelu": gelu, "quick_gelu": quick_gelu}
