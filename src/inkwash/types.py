"""The vocabulary of tensors: shapes, units, and what steers the predictor."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

Pixels = Float[Tensor, "b 3 height width"]
"""RGB pictures, values in [-1, 1]."""
Latents = Float[Tensor, "b c h w"]
"""Compressed pictures; clean latents have unit variance per channel."""
Sigma = Float[Tensor, "..."]
"""Standard deviation of the noise: () while sampling, (b,) while training."""
Sigmas = Float[Tensor, " levels"]
"""Noise levels falling from sigma_max to exactly 0."""
Mask = Float[Tensor, "#b 1 h w"]
"""1 where the picture is painted anew, 0 where it is kept."""


OPTIONAL = ("pooled", "keep", "size", "label", "guidance", "beside")
"""Parts of TextStates that not every predictor wants."""


@dataclass(frozen=True)
class TextStates:
    """What a prompt became: everything that steers a predictor besides the noise level.

    `states` holds a vector per token, `pooled` one per prompt, `keep` marks real tokens (False on padding),
    `size` the numbers SDXL is told about the wanted picture (its micro-conditioning, Podell et al. 2023, 2.2).
    Some networks want more: `label`, a number of a table (x4-upscaler: the noise level of the small picture) or a
    vector (unCLIP: what a picture shows); `guidance`, features of its strength (LCM); `beside`, channels that stand
    beside the latents (inpainting: mask and picture); `pictures`, tokens of pictures for every IP-Adapter.
    """

    states: Float[Tensor, "b tokens width"]
    pooled: Float[Tensor, "b pooled"] | None = None
    keep: Bool[Tensor, "b tokens"] | None = None
    size: Float[Tensor, "b numbers"] | None = None
    label: Int[Tensor, " b"] | Float[Tensor, "b label"] | None = None
    guidance: Float[Tensor, "b features"] | None = None
    beside: Float[Tensor, "b extra h w"] | None = None
    pictures: tuple[Float[Tensor, "b _ width"], ...] = ()

    def __len__(self) -> int:
        return len(self.states)

    def __getitem__(self, index: "slice | Tensor") -> "TextStates":
        return self._each(lambda part: part[index])

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> "TextStates":
        """Move every part; only those that hold fractions change their type."""
        return self._each(lambda part: part.to(device, dtype) if part.is_floating_point() else part.to(device))

    def repeat(self, count: int) -> "TextStates":
        """Each prompt `count` times, its copies side by side."""
        return self._each(lambda part: part.repeat_interleave(count, dim=0))

    def _each(self, change: Callable[[Tensor], Tensor]) -> "TextStates":
        parts = ((name, getattr(self, name)) for name in OPTIONAL)
        changed = {name: None if part is None else change(part) for name, part in parts}
        return TextStates(change(self.states), **changed, pictures=tuple(map(change, self.pictures)))


def joined(first: TextStates, second: TextStates) -> TextStates:
    """Two batches of conditioning as one: the way guidance asks the network once for both."""

    def cat(a: Tensor | None, b: Tensor | None) -> Tensor | None:
        return None if a is None or b is None else torch.cat([a, b])

    return TextStates(
        torch.cat([first.states, second.states]),
        **{name: cat(getattr(first, name), getattr(second, name)) for name in OPTIONAL},
        pictures=tuple(torch.cat(both) for both in zip(first.pictures, second.pictures, strict=True)),
    )
