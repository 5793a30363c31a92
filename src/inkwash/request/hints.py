"""What some networks are told beside words and noise: how far away things are, how noisy a small picture is."""

from dataclasses import dataclass
from pathlib import Path

from inkwash.request.limits import one_path, whole

NOISE_LEVEL = 20
"""As the x4-upscaler was released."""


@dataclass(frozen=True, kw_only=True)
class Hints:
    """For networks that take them; others refuse.  Raises InvalidRequest, naming field, value and what is wanted."""

    depth: Path | None = None
    """A picture of depth, brighter is nearer, for networks that paint by depth: one from elsewhere, none is guessed."""
    noise_level: int | None = None
    """Noise that an upscaler puts on the small picture (a step of its schedule): more invents more. None: 20."""

    def __post_init__(self) -> None:
        if self.depth is not None:
            one_path("hints.depth", self.depth)
        if self.noise_level is not None:
            whole("hints.noise_level", self.noise_level, 0, 999)
