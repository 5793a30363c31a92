"""Convolutions on a torus: a picture goes on at its other edge, so that copies of it make a pattern without seams."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import Tensor, nn
from torch.nn.functional import conv2d, pad

from inkwash.nn.resample import Downsample


@contextmanager
def circular(network: nn.Module, x: bool = True, y: bool = True) -> Iterator[nn.Module]:
    """Inside, every convolution of `network` sees the other edge beyond an edge, along x, y or both.

    Weights stay as they are, and so does the network once the block is left. Attention and norms have no edges.
    """
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | Downsample)]
    try:
        for layer in layers:
            if isinstance(layer, nn.Conv2d):
                vars(layer)["_conv_forward"] = _around(layer, x, y)
            elif layer.asymmetric:
                vars(layer)["forward"] = _halved(layer, x, y)
        yield network
    finally:
        for layer in layers:
            vars(layer).pop("_conv_forward", None)
            vars(layer).pop("forward", None)


def _around(layer: nn.Conv2d, x: bool, y: bool) -> Callable[[Tensor, Tensor, Tensor | None], Tensor]:
    """A convolution's own arithmetic on a map that is padded before."""
    high, wide = (int(each) for each in layer.padding)

    def forward(map_in: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        padded = padded_around(map_in, (wide, wide, high, high), x, y)
        return conv2d(padded, weight, bias, layer.stride, 0, layer.dilation, layer.groups)

    return forward


def _halved(layer: Downsample, x: bool, y: bool) -> Callable[[Tensor], Tensor]:
    return lambda map_in: layer.conv(padded_around(map_in, (0, 1, 0, 1), x, y))


def padded_around(map_in: Tensor, edges: tuple[int, int, int, int], x: bool, y: bool) -> Tensor:
    """A map with `edges` (left, right, top, bottom) added: from the other edge along the axes named, else zeros."""
    left, right, top, bottom = edges
    across = pad(map_in, (left, right, 0, 0), mode="circular") if x and left + right else pad(map_in, (left, right))
    return pad(across, (0, 0, top, bottom), mode="circular") if y and top + bottom else pad(across, (0, 0, top, bottom))
