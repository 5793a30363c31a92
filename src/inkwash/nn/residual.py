"""The residual block of the U-Net and of the autoencoder."""

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from inkwash.nn.norm import GroupNorm


class ResidualBlock(nn.Module):
    """Norm, SiLU, conv, twice, around a skip.  (He et al. 2016; with the step's vector: Ho et al. 2020, app. B)

    The step's vector enters after the first convolution: added, or as scale and shift of the second norm
    (Dhariwal & Nichol 2021, 3). `step_width` 0 leaves it out; `groups` 0 leaves the norms out.
    """

    def __init__(  # noqa: PLR0913  each is a fact of a released network
        self,
        width_in: int,
        width: int,
        *,
        step_width: int = 0,
        scale_shift: bool = False,
        groups: int = 32,
        eps: float = 1e-5,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.scale_shift = scale_shift
        self.norm1 = GroupNorm(groups, width_in, eps) if groups else nn.Identity()
        self.conv1 = nn.Conv2d(width_in, width, 3, padding=1)
        if step_width:
            self.time_emb_proj = nn.Linear(step_width, width * (2 if scale_shift else 1))
        self.norm2 = GroupNorm(groups, width, eps) if groups else nn.Identity()
        self.dropout = nn.Dropout(dropout)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        if width_in != width:
            self.conv_shortcut = nn.Conv2d(width_in, width, 1)
        nn.init.zeros_(self.conv2.weight)  # every block starts as its skip

    def forward(self, x: Tensor, step: Tensor | None = None) -> Tensor:
        """(b, width_in, h, w) and an optional (b, step_width) -> (b, width, h, w)."""
        h = self.conv1(silu(self.norm1(x)))
        if step is None:
            h = self.norm2(h)
        else:
            told = self.time_emb_proj(silu(step))[:, :, None, None]
            h = self._scaled(h, told) if self.scale_shift else self.norm2(h + told)
        h = self.conv2(self.dropout(silu(h)))
        skip = self.conv_shortcut(x) if hasattr(self, "conv_shortcut") else x
        return skip + h  # type: ignore[no-any-return]

    def _scaled(self, h: Tensor, told: Tensor) -> Tensor:
        scale, shift = told.chunk(2, dim=1)
        return torch.addcmul(shift, self.norm2(h), 1 + scale)
