"""Options of the way down: what samplers leave open, and whose plan it follows."""

from dataclasses import dataclass
from typing import Literal

from inkwash.request.limits import flag, one_of, real

PLANS = ("own", "diffusers")
HIGHEST = 1e6


@dataclass(frozen=True, kw_only=True)
class Way:
    """Knobs of samplers, each for those that have it, and the plan of the levels."""

    eta: float | None = None
    """How random a step is: 0 not at all, 1 as the sampler was meant. None: as the sampler likes it."""
    s_churn: float = 0.0
    """Noise added before the steps of euler and heun, spread over all of them."""
    s_tmin: float = 0.0
    """Churn only at noise levels sigma from here ..."""
    s_tmax: float | None = None
    """... up to here. None: any."""
    s_noise: float = 1.0
    """Standard deviation of all noise that a sampler adds."""
    discard: bool = False
    """Plan one step more and leave out the last level but the 0, as web UIs do for some samplers."""
    plan: Literal["own", "diffusers"] = "own"
    """diffusers: walk exactly as the scheduler_config.json of a diffusers folder says."""

    def __post_init__(self) -> None:
        if self.eta is not None:
            real("way.eta", self.eta, 0.0, 10.0)
        real("way.s_churn", self.s_churn, 0.0, 1000.0)
        real("way.s_tmin", self.s_tmin, 0.0, HIGHEST)
        if self.s_tmax is not None:
            real("way.s_tmax", self.s_tmax, 0.0, HIGHEST)
        real("way.s_noise", self.s_noise, 0.0, 10.0)
        flag("way.discard", self.discard)
        one_of("way.plan", self.plan, PLANS)
