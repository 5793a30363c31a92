"""The text transformer: tokens become vectors that a predictor can look at.  (CLIP: Radford et al. 2021, 2.4)

Parameter names are those of the released `text_encoder/` folders, so such a file loads without renaming.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from inkwash.errors import InvalidRequest
from inkwash.nn.tower import Activation, Layers, TowerSpec
from inkwash.types import TextStates


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

    @property
    def tower(self) -> TowerSpec:
        """The stack of layers."""
        return TowerSpec(self.width, self.layers, self.heads, 4 * self.width, self.activation, causal=True)


CLIP_L = TextSpec(768, 12, 12, activation="quick_gelu")
"""Of SD 1."""
CLIP_L_XL = replace(CLIP_L, skip=1, normed=False)
"""The same weights as SDXL looks at them."""
CLIP_L_SD3 = replace(CLIP_L_XL, projection=768)
"""... and SD 3; files that bring no projection mean the identity, which is `projection=0`."""
OPENCLIP_H = TextSpec(1024, 23, 16)
"""Of SD 2, without the layer that it skips; for files that bring all 24 it is `layers=24, skip=1`."""
OPENCLIP_BIGG = TextSpec(1280, 32, 20, projection=1280, skip=1, normed=False)
"""Of SDXL, its refiner, and SD 3."""
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


class TextEncoder(nn.Module):
    """A text transformer: tokens -> states of every token, and one pooled vector, the state of the end token."""

    def __init__(self, spec: TextSpec) -> None:
        super().__init__()
        self.spec = spec
        self.embeddings = Embeddings(spec)
        self.encoder = Layers(spec.tower)
        self.final_layer_norm = nn.LayerNorm(spec.width)
        if spec.projection:
            self.text_projection = nn.Linear(spec.width, spec.projection, bias=False)

    def forward(self, tokens: Int[Tensor, "b n"], skip: int = 0) -> TextStates:
        """(b, n) tokens, n at most `spec.tokens`. Padding may be cut off: no token sees what follows it.

        `skip` layers at the end are skipped besides those that the spec skips.
        Raises InvalidRequest if there are not so many.
        """
        most = self.spec.layers - self.spec.skip
        if not 0 <= skip <= most:
            raise InvalidRequest("skipped layers", skip, f"from 0 to {most}")
        outputs = self.encoder(self.embeddings(tokens))
        seen, x = outputs[-1 - self.spec.skip - skip], outputs[-1]
        ends = (tokens == self.spec.end).int().argmax(dim=1)  # the first: padding may repeat it
        pooled = self.final_layer_norm(x[torch.arange(len(x), device=x.device), ends])
        if self.spec.projection:
            pooled = self.text_projection(pooled)
        states = self.final_layer_norm(seen) if self.spec.normed else seen
        return TextStates(states, pooled, self._keep(tokens, ends) if self.spec.mask_padding else None)

    @staticmethod
    def _keep(tokens: Tensor, ends: Tensor) -> Tensor:
        return torch.arange(tokens.shape[1], device=tokens.device) <= ends[:, None]
