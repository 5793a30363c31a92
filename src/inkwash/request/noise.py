"""Options of randomness: whose generator, which seeds, which path."""

from dataclasses import dataclass
from typing import Literal

from inkwash.request.limits import flag, one_of, pair, whole

RNGS = ("cpu", "philox", "batch")
FARTHEST = 2**62


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Where noise comes from."""

    rng: Literal["cpu", "philox", "batch"] = "cpu"
    """cpu: a stream per picture; philox: as GPUs and the web UI draw it; batch: as ComfyUI, one for all pictures."""
    delta: int = 0
    """Added to the seed of the noise that samplers add (ENSD of the web UI); 31337 as NovelAI."""
    resize_from: tuple[int, int] | None = None
    """Width and height of another picture with this seed: its noise is put in the middle of this one's."""
    columns: bool = False
    """Mix the subseed's noise column by column, as the web UI does."""
    tree: bool = False
    """Samplers of a stochastic equation follow one Brownian path per seed, the same whatever the steps."""

    def __post_init__(self) -> None:
        one_of("noise.rng", self.rng, RNGS)
        flag("noise.columns", self.columns)
        flag("noise.tree", self.tree)
        whole("noise.delta", self.delta, -FARTHEST, FARTHEST)
        if self.resize_from is not None:
            pair("noise.resize_from", self.resize_from, 8, 4096)
