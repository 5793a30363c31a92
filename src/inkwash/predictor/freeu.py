"""FreeU: what comes from below is made stronger, what skips the bottom is made smoother.  (Si et al. 2023, 3.2)

with freed(unet, ((1.2, 0.9), (1.4, 0.2))):
    guess = denoise(x, sigma)
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from inkwash.predictor.unet import UNet, UpStack

Amounts = Sequence[tuple[float, float]]
"""(b, s) for the stages on the way up, the lowest first; those beyond are left alone."""


@contextmanager
def freed(network: UNet, amounts: Amounts) -> Iterator[None]:
    """Inside the block half of the backbone's channels are multiplied by b, the slowest waves of skips by s."""
    with ExitStack() as hooks:
        for (strong, weak), stage, (below, own) in zip(amounts, network.up_blocks, _widths(network), strict=False):
            assert isinstance(stage, UpStack)  # noqa: S101  such are the stages on the way up
            for index, block in enumerate(stage.resnets):
                scaling = _Scaling(own if index else below, strong, weak)
                hooks.callback(block.register_forward_pre_hook(scaling).remove)
        yield


def slowest_scaled(x: Tensor, amount: float) -> Tensor:
    """A map whose four slowest waves, both directions of the lowest frequencies, are multiplied by `amount`.

    (Si et al. 2023, eq. 4 to 6 with the threshold 1)  Computed in float32.
    """
    waves = torch.fft.fftshift(torch.fft.fft2(x.float()), dim=(-2, -1))
    row, column = waves.shape[-2] // 2, waves.shape[-1] // 2
    mask = torch.ones(waves.shape[-2:], device=x.device)
    mask[max(row - 1, 0) : row + 1, max(column - 1, 0) : column + 1] = amount
    back = torch.fft.ifft2(torch.fft.ifftshift(waves * mask, dim=(-2, -1)))
    smoother: Tensor = back.real.to(x.dtype)
    return smoother


def _widths(network: UNet) -> list[tuple[int, int]]:
    """Channels that arrive from below at every stage on the way up, and its own."""
    widths = [stage.channels for stage in reversed(network.spec.stages)]
    return list(pairwise([widths[0], *widths]))


@dataclass(frozen=True)
class _Scaling:
    """Looks at what a residual block is given: the backbone's channels, then those that skipped."""

    width: int
    strong: float
    weak: float

    def __call__(self, _: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        backbone, skip = args[0][:, : self.width], args[0][:, self.width :]
        half = self.width // 2
        louder = torch.cat([backbone[:, :half] * self.strong, backbone[:, half:]], dim=1)
        return torch.cat([louder, slowest_scaled(skip, self.weak)], dim=1), *args[1:]
