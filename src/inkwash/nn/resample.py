"""Halve and double a feature map."""

from torch import Tensor, nn
from torch.nn.functional import interpolate, pad


class Downsample(nn.Module):
    """A 3x3 convolution with stride 2.

    `asymmetric` pads right and bottom only, as the released autoencoders were trained.
    """

    def __init__(self, channels: int, out: int | None = None, *, asymmetric: bool = False) -> None:
        super().__init__()
        self.asymmetric = asymmetric
        self.conv = nn.Conv2d(channels, out or channels, 3, stride=2, padding=0 if asymmetric else 1)

    def forward(self, x: Tensor) -> Tensor:
        """(b, c, h, w) -> (b, out, h/2, w/2)."""
        return self.conv(pad(x, (0, 1, 0, 1)) if self.asymmetric else x)  # type: ignore[no-any-return]


class Upsample(nn.Module):
    """Nearest neighbour to twice the size (or to `size`, for odd latents), then a 3x3 convolution."""

    def __init__(self, channels: int, out: int | None = None) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out or channels, 3, padding=1)

    def forward(self, x: Tensor, size: tuple[int, int] | None = None) -> Tensor:
        """(b, c, h, w) -> (b, out, 2h, 2w)."""
        height, width = size or (2 * x.shape[2], 2 * x.shape[3])
        return self.conv(interpolate(x, size=(height, width), mode="nearest"))  # type: ignore[no-any-return]
