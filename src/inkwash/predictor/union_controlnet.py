"""Union ControlNets: one network for many kinds of hints, and for several at once.  (ControlNet++, xinsir 2024)

Parameter names are those of the released files, a misspelled one among them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear

from inkwash.nn.embedding import StepEmbedding, sinusoidal
from inkwash.predictor.controlnet import Hint, Onlooker, weighed
from inkwash.predictor.residuals import ALWAYS, NOTHING, Residuals, acting, as_many
from inkwash.predictor.spec import UNetSpec
from inkwash.types import Latents, TextStates


@dataclass(frozen=True)
class Sight:
    """A hint of a certain kind, and how strongly and when it acts."""

    hint: Hint
    kind: int
    """From 0, as the network numbers what it was taught."""
    scale: float = 1.0
    interval: tuple[float, float] = ALWAYS
    """Steps t at which it acts."""


class OwnValue(nn.Module):
    """The attention of these networks, which comes to a linear map: every row gathers its own value.

    They were taught with an attention that takes the pictures of a batch for the rows: a row looks at its likes in
    other pictures, never at its neighbours. In a picture that is painted alone it so finds itself, in both halves of
    guidance the same, and that is what we compute for every picture. Queries and keys are there to be loaded.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.in_proj_weight = nn.Parameter(torch.randn(3 * width, width) * width**-0.5)
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Float[Tensor, "b n width"]) -> Float[Tensor, "b n width"]:
        """(b, n, width) -> the same."""
        width = x.shape[-1]
        return self.out_proj(linear(x, self.in_proj_weight[-width:], self.in_proj_bias[-width:]))  # type: ignore[no-any-return]


class Widened(nn.Module):
    """To four times the width and back, with CLIP's quick GELU between."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.c_fc = nn.Linear(width, 4 * width)
        self.c_proj = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) -> the same."""
        x = self.c_fc(x)
        return self.c_proj(x * torch.sigmoid(1.702 * x))  # type: ignore[no-any-return]


class FusingLayer(nn.Module):
    """A layer over what is known of every hint: one row for each."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attn = OwnValue(width)
        self.ln_1 = nn.LayerNorm(width)
        self.mlp = Widened(width)
        self.ln_2 = nn.LayerNorm(width)

    def forward(self, x: Float[Tensor, "b n width"]) -> Float[Tensor, "b n width"]:
        """(b, n, width) -> the same."""
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))  # type: ignore[no-any-return]


class UnionControlNet(Onlooker):
    """One that was taught `kinds` kinds of hints; it is told which it sees."""

    def __init__(self, spec: UNetSpec, kinds: int = 6, layers: int = 1, hint_channels: int = 3) -> None:
        super().__init__(spec, hint_channels)
        width = spec.stages[0].channels
        self.task_embedding = nn.Parameter(torch.randn(kinds, width) * width**0.5)
        self.transformer_layes = nn.ModuleList(FusingLayer(width) for _ in range(layers))  # as the files spell it
        self.spatial_ch_projs = nn.Linear(width, width)
        nn.init.zeros_(self.spatial_ch_projs.weight)
        nn.init.zeros_(self.spatial_ch_projs.bias)
        self.control_add_embedding = StepEmbedding(kinds * spec.size_width, spec.step_width)

    @property
    def kinds(self) -> int:
        """How many kinds of hints it knows."""
        return len(self.task_embedding)

    def forward(self, x: Latents, t: Float[Tensor, " b"], text: TextStates, sights: Sequence[Sight]) -> Residuals:
        """What a U-Net asked the same is to add; of several hints each counts by its scale, before they are summed.

        A hint by itself is taken fully. Raises InvalidRequest for one that is not 8 times as large as the latents.
        """
        step = self.told(t, text, x.dtype) + self.control_add_embedding(self._flags({each.kind for each in sights}, x))
        entered = self.entered(x)
        fused = torch.zeros_like(entered)
        for sight in sights:
            scale = sight.scale if len(sights) > 1 else 1.0
            seen = self.encoded(as_many(sight.hint, len(x)), x)
            row = (seen.mean((2, 3)) + self.task_embedding[sight.kind])[:, None] * scale
            for layer in self.transformer_layes:
                row = layer(row)
            fused = fused + scale * (seen + self.spatial_ch_projs(row[:, 0])[:, :, None, None])
        return self.said(entered + fused, step, text)

    def _flags(self, kinds: set[int], x: Latents) -> Float[Tensor, "1 features"]:
        """Which kinds are there, as features."""
        there = torch.tensor([float(kind in kinds) for kind in range(self.kinds)], device=x.device)
        return sinusoidal(there, self.spec.size_width).flatten()[None].to(x.dtype)


@dataclass(frozen=True)
class UnionControl:
    """A union ControlNet at work on one hint or several."""

    network: UnionControlNet
    sights: tuple[Sight, ...]
    soft: bool = False
    """Weak on fine maps, as in `controlnet.Control`."""

    def residuals(self, x: Latents, t: Float[Tensor, " b"], text: TextStates) -> Residuals:
        """What it adds to a U-Net that is asked the same; hints outside their steps are not shown to it."""
        seen = [sight for sight in self.sights if sight.scale and acting(t, sight.interval)]
        if not seen:
            return NOTHING
        scale = seen[0].scale if len(seen) == 1 else 1.0
        return weighed(self.network(x, t, text, seen), scale, soft=self.soft)
