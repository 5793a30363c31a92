"""FreeU: what comes from below is made stronger, what skips the bottom is made smoother.  (Si et al. 2023, 3.2)

with freed(unet, ((1.3, 0.9), (1.4, 0.2))):
    guess = denoise(x, sigma)
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from inkwash.predictor.unet import UNet, UpStack

Amounts = Sequence[tuple[float, float]]
"""(b, s) for what is widest, and for what is half as wide."""
Version = Literal["1", "2", "diffusers"]
"""The authors' first and second, which go by widths: the first pair for blocks that are told four times the channels of
the first stage from below, the second for twice as many. diffusers' is the first, by stages on the way up."""


@contextmanager
def freed(network: UNet, amounts: Amounts, version: Version = "2") -> Iterator[None]:
    """Inside the block half of the backbone's channels are multiplied by b, the slowest waves of skips by s."""
    with ExitStack() as hooks:
        for block, width, (strong, weak) in scaled_blocks(network, amounts, version):
            scaling = _Scaling(width, strong, weak, adaptive=version == "2")
            hooks.callback(block.register_forward_pre_hook(scaling).remove)
        yield


def scaled_blocks(
    network: UNet, amounts: Amounts, version: Version
) -> Iterator[tuple[nn.Module, int, tuple[float, float]]]:
    """The residual blocks on the way up that are touched, their channels from below, and their (b, s)."""
    first = network.spec.stages[0].channels
    for number, (stage, (below, own)) in enumerate(zip(network.up_blocks, _widths(network), strict=True)):
        assert isinstance(stage, UpStack)  # noqa: S101  such are the stages on the way up
        for index, block in enumerate(stage.resnets):
            width = own if index else below
            place = number if version == "diffusers" else {4 * first: 0, 2 * first: 1}.get(width, len(amounts))
            if place < len(amounts):
                yield block, width, amounts[place]


def louder(backbone: Tensor, amount: float, *, adaptive: bool) -> Tensor:
    """Half of the channels of (b, c, h, w) multiplied by `amount`.

    `adaptive`: at every place by as much of it as the mean over channels is near its maximum there, and by 1 at its
    minimum.  (FreeU's second version)
    """
    half = backbone.shape[1] // 2
    factor: Tensor | float = amount
    if adaptive:
        mean = backbone.mean(1, keepdim=True)
        low, high = mean.amin((2, 3), keepdim=True), mean.amax((2, 3), keepdim=True)
        factor = 1 + (amount - 1) * (mean - low) / (high - low).clamp(min=torch.finfo(mean.dtype).tiny)
    return torch.cat([backbone[:, :half] * factor, backbone[:, half:]], dim=1)


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
    adaptive: bool

    def __call__(self, _: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        backbone, skip = args[0][:, : self.width], args[0][:, self.width :]
        backbone = louder(backbone, self.strong, adaptive=self.adaptive)
        return torch.cat([backbone, slowest_scaled(skip, self.weak)], dim=1), *args[1:]
