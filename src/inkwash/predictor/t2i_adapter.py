"""T2I-Adapter: a small network that turns a hint into one map per stage, once for all steps.  (Mou et al. 2023)

Parameter names are those of the released diffusers folders.
"""

from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pixel_unshuffle, relu

from inkwash.errors import InvalidRequest
from inkwash.predictor.residuals import ALWAYS, NOTHING, Residuals, acting, as_many
from inkwash.types import Latents, TextStates


@dataclass(frozen=True)
class AdapterSpec:
    """All numbers of a T2I-Adapter; one entry of `channels` per map."""

    kind: Literal["full", "light"] = "full"
    channels: tuple[int, ...] = (320, 640, 1280, 1280)
    halved: tuple[bool, ...] = (False, True, True, True)
    """Maps that are half as large as the one before."""
    blocks: int = 2
    patch: int = 8
    """Squares of patch x patch pixels become channels at first."""
    channels_in: int = 3


FULL = AdapterSpec()
FULL_XL = AdapterSpec(halved=(False, False, True, False), patch=16)
LIGHT = AdapterSpec("light", blocks=4)


class AdapterResidual(nn.Module):
    """Convolution, ReLU, convolution, around a skip."""

    def __init__(self, width: int, last: int) -> None:
        super().__init__()
        self.block1 = nn.Conv2d(width, width, 3, padding=1)
        self.block2 = nn.Conv2d(width, width, last, padding=last // 2)

    def forward(self, x: Tensor) -> Tensor:
        """(b, width, h, w) -> the same shape."""
        return self.block2(relu(self.block1(x))) + x  # type: ignore[no-any-return]


class AdapterStage(nn.Module):
    """From one map to the next."""

    def __init__(self, spec: AdapterSpec, widths: tuple[int, int], halved: bool) -> None:
        super().__init__()
        light, (width_in, width) = spec.kind == "light", widths
        inner = width // 4 if light else width
        self.shrink = nn.AvgPool2d(2, ceil_mode=True) if halved else nn.Identity()
        if light or width_in != width:
            self.in_conv: nn.Module = nn.Conv2d(width_in, inner, 1)
        self.resnets = nn.Sequential(*(AdapterResidual(inner, 3 if light else 1) for _ in range(spec.blocks)))
        if light:
            self.out_conv: nn.Module = nn.Conv2d(inner, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(b, width_in, h, w) -> (b, width, h, w) or half of the places."""
        x = self.shrink(x)
        x = self.resnets(self.in_conv(x) if hasattr(self, "in_conv") else x)
        return self.out_conv(x) if hasattr(self, "out_conv") else x


class AdapterBody(nn.Module):
    """The stages, under their released name."""

    def __init__(self, spec: AdapterSpec) -> None:
        super().__init__()
        width = spec.channels_in * spec.patch**2
        if spec.kind == "full":
            self.conv_in: nn.Module = nn.Conv2d(width, spec.channels[0], 3, padding=1)
            width = spec.channels[0]
        pairs = zip((width, *spec.channels), spec.channels, strict=False)
        self.body = nn.ModuleList(
            AdapterStage(spec, pair, halved) for pair, halved in zip(pairs, spec.halved, strict=True)
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        """Patches of a hint -> a map per stage."""
        x = self.conv_in(x) if hasattr(self, "conv_in") else x
        maps = []
        for stage in self.body:
            x = stage(x)
            maps.append(x)
        return maps


class T2IAdapter(nn.Module):
    """A hint -> a map for every stage of a U-Net."""

    def __init__(self, spec: AdapterSpec = FULL) -> None:
        super().__init__()
        self.spec = spec
        self.adapter = AdapterBody(spec)

    def forward(self, hint: Float[Tensor, "b hints height width"]) -> list[Tensor]:
        """(b, channels_in, height, width) in [0, 1] -> maps, the first of height / patch by width / patch places.

        Raises InvalidRequest for a hint of other channels or sides.
        """
        spec = self.spec
        if hint.shape[1] != spec.channels_in or hint.shape[2] % spec.patch or hint.shape[3] % spec.patch:
            wanted = f"{spec.channels_in} channels and sides that are multiples of {spec.patch}"
            raise InvalidRequest("hint", tuple(hint.shape[1:]), wanted)
        return self.adapter(pixel_unshuffle(hint, spec.patch))  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Adapted:
    """A T2I-Adapter's maps at work: how strongly and when they act."""

    maps: tuple[Tensor, ...]
    """What the adapter made of a hint, for all pictures or for each."""
    scale: float = 1.0
    interval: tuple[float, float] = ALWAYS
    """Steps t at which they act."""

    def residuals(self, x: Latents, t: Float[Tensor, " b"], text: TextStates) -> Residuals:
        """What they add to a U-Net that is asked the same."""
        if not acting(t, self.interval):
            return NOTHING
        return Residuals(stages=tuple(self.scale * as_many(each, len(x)) for each in self.maps))
