"""3 x 3 convolutions by fewer multiplications: Winograd's F(4 x 4, 3 x 3).  (Lavin & Gray 2016, 4.3)

A tile of 4 x 4 results takes 36 products per pair of channels instead of 144. All three products of a training step
become matrix products in the domain of the 6 x 6 points, which processors are at their best with; without AVX-512 the
library's own gradient of the kernels reaches half of that. Results differ from the direct sum by a few 1e-6.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.overrides import TorchFunctionMode

from inkwash.device import Compute

TILE, POINTS = 4, 6
INPUT = (
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
KERNEL = (
    (1 / 4, 0, 0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0, 0, 1),
)
OUTPUT = ((1, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 0), (0, 1, 1, 4, 4, 0), (0, 1, -1, 8, -8, 1))
"""The matrices Bᵀ, G and Aᵀ of the paper's section 4.3: signal, kernel and result by themselves, along one axis."""


class Winograd(TorchFunctionMode):
    """Inside this context, convolutions that can go this way do: float32, 3 x 3 at stride 1 that keep the size."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Hand on every other function as it is."""
        if func is not torch.conv2d or kwargs or not fits(*args[:2], *args[3:]):
            return func(*args, **(kwargs or {}))
        x, weight, *bias = args[:3]
        out = _Convolution.apply(x, weight)  # type: ignore[no-untyped-call]
        return out + bias[0][:, None, None] if bias and bias[0] is not None else out


def quick_convolutions(compute: Compute) -> AbstractContextManager[object]:
    """Winograd where it pays: in float32. Shorter floats lose too much on the way to the points and back."""
    return Winograd() if compute.dtype == torch.float32 else nullcontext()


def fits(x: Tensor, weight: Tensor, *how: Any) -> bool:
    """Is it a convolution of the one kind that is quicker this way?  `how`: stride, padding, dilation, groups."""
    keeps = tuple(map(_pair, how)) in (((1, 1), (1, 1)), ((1, 1), (1, 1), (1, 1)), ((1, 1), (1, 1), (1, 1), (1, 1)))
    tiled = x.ndim == 4 and x.shape[2] % TILE == 0 == x.shape[3] % TILE
    plain = x.dtype == weight.dtype == torch.float32 and x.device.type == "cpu" and not torch.is_autocast_enabled("cpu")
    return keeps and tiled and plain and tuple(weight.shape[2:]) == (3, 3) and min(weight.shape[:2]) >= 2 * POINTS


class _Convolution(torch.autograd.Function):
    """Everything lies as (height, width, picture · channel), so that both ways along an axis are one matrix product."""

    @staticmethod
    def forward(ctx: Any, x: Float[Tensor, "b c h w"], weight: Float[Tensor, "o c 3 3"]) -> Float[Tensor, "b o h w"]:
        points = _spread(x, *_inward(*x.shape[2:]))
        kernel = _spread_kernel(weight)
        products = _products(points, kernel.mT)
        ctx.save_for_backward(points, kernel)
        ctx.size = x.shape[2:]
        return _gathered(products, len(x), *_outward(*ctx.size))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Float[Tensor, "b o h w"]) -> tuple[Tensor | None, Tensor | None]:
        points, kernel = ctx.saved_tensors
        back = _spread(grad, *(way.T for way in _outward(*ctx.size)))
        of_x = of_weight = None
        if ctx.needs_input_grad[1]:
            of_kernel = torch.bmm(back[0].mT, points[0])
            for row, seen in zip(back[1:], points[1:], strict=True):
                of_kernel.baddbmm_(row.mT, seen)
            of_weight = _gathered_kernel(of_kernel)
        if ctx.needs_input_grad[0]:
            of_x = _gathered(_products(back, kernel), len(grad), *(way.T for way in _inward(*ctx.size)))
        return of_x, of_weight


def _spread(x: Float[Tensor, "b c h w"], down: Tensor, across: Tensor) -> Float[Tensor, "rows 36 tiles c"]:
    """A picture as the points of its tiles; for each row of tiles, point by point, all tiles of all pictures."""
    b, c, h, w = x.shape
    lines = (down @ x.permute(2, 3, 0, 1).reshape(h, -1)).view(len(down), w, b * c)
    return torch.matmul(across, lines).view(h // TILE, POINTS**2, w // TILE * b, c)


def _gathered(
    points: Float[Tensor, "rows 36 tiles c"], b: int, down: Tensor, across: Tensor
) -> Float[Tensor, "b c h w"]:
    """The way back to pictures."""
    rows, c = len(points), points.shape[-1]
    lines = torch.matmul(across, points.view(rows * POINTS, -1, b * c))
    whole = (down @ lines.view(rows * POINTS, -1)).view(len(down), len(across), b, c)
    return whole.permute(2, 3, 0, 1).contiguous(memory_format=torch.channels_last)


def _products(
    points: Float[Tensor, "rows 36 tiles c"], kernel: Float[Tensor, "36 c o"]
) -> Float[Tensor, "rows 36 tiles o"]:
    """Channels mix at every point by itself."""
    out = points.new_empty(*points.shape[:3], kernel.shape[2])
    for row, into in zip(points, out, strict=True):
        torch.bmm(row, kernel, out=into)
    return out


def _spread_kernel(weight: Float[Tensor, "o c 3 3"]) -> Float[Tensor, "36 o c"]:
    out, channels = weight.shape[:2]
    return (_kernel_lines() @ weight.permute(2, 3, 0, 1).reshape(9, -1)).view(-1, out, channels)


def _gathered_kernel(points: Float[Tensor, "36 o c"]) -> Float[Tensor, "o c 3 3"]:
    return (_kernel_lines().T @ points.flatten(1)).view(3, 3, *points.shape[1:]).permute(2, 3, 0, 1)


@lru_cache
def _inward(height: int, width: int) -> tuple[Float[Tensor, "_ height"], Float[Tensor, "_ width"]]:
    """Down and across, from pixels to the points of tiles; beyond the ends there is 0."""
    down, across = (_windows(side)[..., 1:-1] for side in (height, width))
    return down.flatten(0, 1), across.transpose(0, 1).flatten(0, 1)


@lru_cache
def _outward(height: int, width: int) -> tuple[Float[Tensor, "height _"], Float[Tensor, "width _"]]:
    """Down and across, from the products to pixels."""
    down, across = (torch.block_diag(*[torch.tensor(OUTPUT)] * (side // TILE)).float() for side in (height, width))
    return down, across.unflatten(1, (-1, POINTS)).transpose(1, 2).flatten(1)


def _windows(side: int) -> Float[Tensor, "tiles points padded"]:
    tiles = torch.zeros(side // TILE, POINTS, side + 2)
    for place, tile in enumerate(tiles):
        tile[:, TILE * place : TILE * place + POINTS] = torch.tensor(INPUT)
    return tiles


@lru_cache
def _kernel_lines() -> Float[Tensor, "36 9"]:
    return torch.kron(torch.tensor(KERNEL), torch.tensor(KERNEL))


def _pair(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value, value)
