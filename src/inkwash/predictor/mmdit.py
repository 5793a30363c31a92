"""The transformer of Stable Diffusion 3: picture and words in one stream of attention.  (Esser et al. 2024, fig. 2)

Parameter names are those of the released diffusers folders, so such a file loads without renaming.
The words have weights of their own in every block (multimodal), and meet the picture in attention only.
"""

from collections.abc import Collection

import torch
from jaxtyping import Float
from torch import Tensor, nn

from inkwash.errors import InvalidRequest
from inkwash.nn.attention import rows
from inkwash.nn.embedding import StepEmbedding, sinusoidal
from inkwash.predictor.joint import AdaptiveNorm, JointBlock
from inkwash.predictor.mmdit_spec import MMDiTSpec
from inkwash.types import Latents, TextStates

STEP_WIDTH = 256  # features of the step before its embedding


class Patches(nn.Module):
    """Patches as tokens, each with its position; a picture smaller than the table takes the middle of it."""

    pos_embed: Tensor

    def __init__(self, spec: MMDiTSpec) -> None:
        super().__init__()
        self.spec = spec
        self.proj = nn.Conv2d(spec.channels_in, spec.width, spec.patch, stride=spec.patch)
        self.register_buffer("pos_embed", positions(spec))

    def forward(self, x: Latents) -> Float[Tensor, "b n width"]:
        """(b, c, h, w) -> a row per patch.

        Raises InvalidRequest if the picture cannot be cut into patches, or is larger than the table.
        """
        high, wide = x.shape[2] // self.spec.patch, x.shape[3] // self.spec.patch
        if x.shape[2] % self.spec.patch or x.shape[3] % self.spec.patch:
            raise InvalidRequest("latent size", tuple(x.shape[2:]), f"a multiple of {self.spec.patch} each way")
        if max(high, wide) > self.spec.positions:
            most = self.spec.positions * self.spec.patch
            raise InvalidRequest("latent size", tuple(x.shape[2:]), f"at most {most} each way")
        top, left = (self.spec.positions - high) // 2, (self.spec.positions - wide) // 2
        table = self.pos_embed.unflatten(1, (self.spec.positions, self.spec.positions))
        return rows(self.proj(x)) + table[:, top : top + high, left : left + wide].flatten(1, 2)  # type: ignore[no-any-return]


class Told(nn.Module):
    """The step and the pooled prompt as one vector."""

    def __init__(self, spec: MMDiTSpec) -> None:
        super().__init__()
        self.timestep_embedder = StepEmbedding(STEP_WIDTH, spec.width)
        self.text_embedder = StepEmbedding(spec.pooled_width, spec.width)

    def forward(self, t: Float[Tensor, " b"], pooled: Float[Tensor, "b pooled"]) -> Float[Tensor, "b width"]:
        """(b,) and (b, pooled_width) -> (b, width)."""
        step = sinusoidal(t, STEP_WIDTH).to(pooled.dtype)
        return self.timestep_embedder(step) + self.text_embedder(pooled)  # type: ignore[no-any-return]


class MMDiT(nn.Module):
    """A noise predictor: noisy latents, the step t in 0…1000, and words -> what it was taught to tell.

    A flow's step is 1000 s, and no index. Starts as the constant zero: the last layer begins with zero weights.
    """

    def __init__(self, spec: MMDiTSpec) -> None:
        super().__init__()
        self.spec = spec
        self.pos_embed = Patches(spec)
        self.time_text_embed = Told(spec)
        self.context_embedder = nn.Linear(spec.text_width, spec.width)
        self.transformer_blocks = nn.ModuleList(JointBlock(spec, index) for index in range(spec.depth))
        self.norm_out = AdaptiveNorm(spec.width, 2)
        self.proj_out = nn.Linear(spec.width, spec.patch**2 * spec.channels_out)
        nn.init.zeros_(self.proj_out.weight)
        nn.init.zeros_(self.proj_out.bias)

    def forward(
        self, x: Latents, t: Float[Tensor, " b"], text: TextStates, skip: Collection[int] = ()
    ) -> Float[Tensor, "b out h w"]:
        """(b, channels_in, h, w), (b,) and a prompt per picture -> (b, channels_out, h, w); without the blocks `skip`.

        Raises InvalidRequest for a prompt without a pooled vector, and for sizes that `Patches` refuses.
        """
        if text.pooled is None:
            raise InvalidRequest("text", "without a pooled vector", f"pooled to {self.spec.pooled_width} numbers")
        places = x.shape[2] // self.spec.patch, x.shape[3] // self.spec.patch
        step, words, x = self.time_text_embed(t, text.pooled), self.context_embedder(text.states), self.pos_embed(x)
        for index, block in enumerate(self.transformer_blocks):
            if index not in skip:
                x, words = block(x, words, step, text.keep)
        x = self.proj_out(self.norm_out.final(x, step))
        patches = x.unflatten(2, (self.spec.patch, self.spec.patch, -1)).unflatten(1, places)
        return patches.permute(0, 5, 1, 3, 2, 4).flatten(4, 5).flatten(2, 3)  # type: ignore[no-any-return]


def positions(spec: MMDiTSpec) -> Float[Tensor, "1 n width"]:
    """Sines, then cosines, of column, then of row; a row per place of the table, line by line."""
    places = torch.arange(spec.positions, dtype=torch.float32) / (spec.positions / spec.side)
    quarter = spec.width // 4
    angles = torch.outer(places.double(), 1 / 10_000 ** (torch.arange(quarter, dtype=torch.float64) / quarter))
    line = torch.cat([angles.sin(), angles.cos()], dim=1).float()
    whole = spec.positions, spec.positions, -1
    return torch.cat([line[None].expand(whole), line[:, None].expand(whole)], dim=2).flatten(0, 1)[None]
