"""Group normalisation that does not slow down in short floats."""

import torch
from torch import Tensor, nn
from torch.nn.functional import group_norm


class GroupNorm(nn.GroupNorm):
    """torch's own, but on a CPU short floats are normed in float32.  (Wu & He 2018, eq. 1)

    For bfloat16 in channels-last memory torch has kernels that take three to four times as long as those for float32.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(b, c, ...) -> the same; float32 under autocast, where the next product makes it short again."""
        if x.device.type != "cpu" or x.dtype not in (torch.bfloat16, torch.float16):
            return super().forward(x)
        normed = group_norm(x.float(), self.num_groups, self.weight.float(), self.bias.float(), self.eps)
        return normed if torch.is_autocast_enabled("cpu") else normed.to(x.dtype)
