"""CLIP's other tower: a picture becomes vectors of the kind that words become.  (Radford et al. 2021, 2.4)

Adapters steer a predictor by them. Parameter names are those of the released `image_encoder/` folders.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor, nn

from inkwash.nn.attention import rows
from inkwash.nn.tower import Activation, Layers, TowerSpec
from inkwash.types import Pixels

MEAN, DEVIATION = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
"""Of CLIP's training pictures, red, green, blue in [0, 1]."""


@dataclass(frozen=True)
class VisionSpec:
    """All numbers of a vision transformer."""

    width: int
    layers: int
    heads: int
    inner: int
    projection: int
    """Width of the vector for the whole picture."""
    patch: int = 14
    size: int = 224
    """Side of the pictures it looks at, in pixels."""
    activation: Activation = "gelu"

    @property
    def tower(self) -> TowerSpec:
        """The stack of layers."""
        return TowerSpec(self.width, self.layers, self.heads, self.inner, self.activation, causal=False)


VIT_L = VisionSpec(1024, 24, 16, 4096, projection=768, activation="quick_gelu")
VIT_H = VisionSpec(1280, 32, 16, 5120, projection=1024)
VIT_BIGG = VisionSpec(1664, 48, 16, 8192, projection=1280)


@dataclass(frozen=True)
class ImageStates:
    """What a picture became."""

    states: Float[Tensor, "b places features"]
    """A vector for the whole and one per patch, as they leave the last layer but one."""
    pooled: Float[Tensor, "b projection"]
    """The whole picture, where texts that describe it are near."""


class Patches(nn.Module):
    """A learned vector for the whole, a vector per patch, and their positions."""

    def __init__(self, spec: VisionSpec) -> None:
        super().__init__()
        self.class_embedding = nn.Parameter(torch.randn(spec.width) * spec.width**-0.5)
        self.patch_embedding = nn.Conv2d(3, spec.width, spec.patch, stride=spec.patch, bias=False)
        self.position_embedding = nn.Embedding(1 + (spec.size // spec.patch) ** 2, spec.width)
        nn.init.normal_(self.position_embedding.weight, std=0.02)

    def forward(self, pixels: Pixels) -> Float[Tensor, "b places features"]:
        """(b, 3, size, size) -> the whole, then the patches line by line."""
        whole = self.class_embedding.expand(len(pixels), 1, -1)
        return torch.cat([whole, rows(self.patch_embedding(pixels))], dim=1) + self.position_embedding.weight


class VisionTower(nn.Module):
    """The transformer, under its released name."""

    def __init__(self, spec: VisionSpec) -> None:
        super().__init__()
        self.embeddings = Patches(spec)
        self.pre_layrnorm = nn.LayerNorm(spec.width)
        self.encoder = Layers(spec.tower)
        self.post_layernorm = nn.LayerNorm(spec.width)


class VisionEncoder(nn.Module):
    """A vision transformer: pictures as `prepared` makes them -> vectors."""

    def __init__(self, spec: VisionSpec) -> None:
        super().__init__()
        self.spec = spec
        self.vision_model = VisionTower(spec)
        self.visual_projection = nn.Linear(spec.width, spec.projection, bias=False)

    def forward(self, pixels: Float[Tensor, "b 3 size size"]) -> ImageStates:
        """(b, 3, spec.size, spec.size), in deviations from the mean picture."""
        model = self.vision_model
        outputs = model.encoder(model.pre_layrnorm(model.embeddings(pixels)))
        return ImageStates(outputs[-2], self.visual_projection(model.post_layernorm(outputs[-1][:, 0])))


def prepared(pixels: Pixels, size: int = 224) -> Float[Tensor, "b 3 size size"]:
    """Pictures in [-1, 1] of any shape: the middle square at `size`, in deviations from the mean picture.

    Pillow shrinks bytes, as it did when the tower was taught: other filters differ by a level here and there.
    """
    levels = ((pixels.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu()
    squares = torch.stack([_square(Image.fromarray(each.numpy()), size) for each in levels]).to(pixels)
    mean, deviation = (pixels.new_tensor(numbers)[:, None, None] for numbers in (MEAN, DEVIATION))
    return (squares / 255 - mean) / deviation


def _square(picture: Image.Image, size: int) -> UInt8[Tensor, "3 size size"]:
    short = min(picture.size)
    wide, high = (size * side // short for side in picture.size)
    small = picture.resize((wide, high), Image.Resampling.BICUBIC)
    left, top = (wide - size) // 2, (high - size) // 2
    cut = small.crop((left, top, left + size, top + size))
    return torch.frombuffer(bytearray(cut.tobytes()), dtype=torch.uint8).reshape(size, size, 3).permute(2, 0, 1)
