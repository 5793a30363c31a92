"""Options of guidance beyond its strength: rules, worse networks to push away from, features scaled in the U-Net."""

from dataclasses import dataclass
from typing import Literal

from inkwash.request.limits import flag, listed, one_of, real, whole


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How the two guesses are weighed, where not along a straight line; rules that are on act together."""

    rescale: float = 0.0
    """Keep the contrast that the words alone would have: 0 is off, 1 wholly, 0.7 usual."""
    mimic: float | None = None
    """Dynamic thresholding: keep the range of values that this guidance would have. 7 is usual."""
    percentile: float = 1.0
    """With `mimic`: values beyond this share of all are cut before."""
    projected: bool = False
    """Adaptive projected guidance (APG): take out the part of the push that only brightens."""
    parallel: float = 0.0
    """With `projected`: how much of that part stays."""
    largest: float = 15.0
    """With `projected`: no push is longer; 0 is no limit."""
    momentum: float = -0.5
    """With `projected`: how much earlier pushes count."""

    def __post_init__(self) -> None:
        real("rules.rescale", self.rescale, 0.0, 1.0)
        if self.mimic is not None:
            real("rules.mimic", self.mimic, 0.0, 100.0)
        real("rules.percentile", self.percentile, 0.5, 1.0)
        flag("rules.projected", self.projected)
        real("rules.parallel", self.parallel, 0.0, 1.0)
        real("rules.largest", self.largest, 0.0, 1e6)
        real("rules.momentum", self.momentum, -0.99, 0.99)

    @property
    def act(self) -> bool:
        """Whether any is on."""
        return self.rescale > 0 or self.mimic is not None or self.projected


@dataclass(frozen=True, kw_only=True)
class PAG:
    """Perturbed-attention guidance: away from the network with some self-attention switched off."""

    scale: float = 0.0
    """How far; 0 is off, 3 usual. Costs one more call a step."""
    layers: tuple[str, ...] = ("mid",)
    """Where: mid, or how names of layers begin, like down_blocks.2 or up_blocks.1.attentions.0."""
    adaptive: float = 0.0
    """How much less for every step t of 1000 that is past, until nothing."""

    def __post_init__(self) -> None:
        real("pag.scale", self.scale, 0.0, 100.0)
        real("pag.adaptive", self.adaptive, 0.0, 100.0)
        listed("pag.layers", self.layers, str)


@dataclass(frozen=True, kw_only=True)
class SLG:
    """Skip-layer guidance of Stable Diffusion 3.5: away from the network with some layers left out."""

    scale: float = 0.0
    """How far; 0 is off, 2.5 usual. Costs one more call a step."""
    layers: tuple[int, ...] = (7, 8, 9)
    """Which layers, counted from 0."""
    start: float = 0.01
    """From this share of the steps ..."""
    stop: float = 0.2
    """... up to this one."""

    def __post_init__(self) -> None:
        real("slg.scale", self.scale, 0.0, 100.0)
        real("slg.start", self.start, 0.0, 1.0)
        real("slg.stop", self.stop, 0.0, 1.0)
        listed("slg.layers", self.layers, int)
        for layer in self.layers:
            whole("slg.layers", layer, 0, 1000)


AMOUNTS = ("b1", "b2", "s1", "s2")
"""What FreeU scales, by the names that everybody has for it."""


@dataclass(frozen=True, kw_only=True)
class FreeU:
    """FreeU: the backbone of the U-Net speaks louder, what skips it lower.  All 1 is off."""

    b1: float = 1.0
    """Half of the channels from below, in the widest blocks on the way up. 1.3 is usual."""
    b2: float = 1.0
    """The same in blocks half as wide. 1.4 is usual."""
    s1: float = 1.0
    """The slowest waves of what crosses over, in the widest blocks. 0.9 is usual."""
    s2: float = 1.0
    """The same in blocks half as wide. 0.2 is usual."""
    version: Literal["1", "2", "diffusers"] = "2"
    """Its authors' first or second (Forge, ComfyUI's FreeU_V2), or that of diffusers: the first, by stages."""

    def __post_init__(self) -> None:
        one_of("freeu.version", self.version, ("1", "2", "diffusers"))
        for name in AMOUNTS:
            real(f"freeu.{name}", getattr(self, name), 0.0, 4.0)

    @property
    def acts(self) -> bool:
        """Whether anything is scaled."""
        return any(getattr(self, name) != 1 for name in AMOUNTS)
