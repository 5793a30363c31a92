"""Samplers by name. With options: `functools.partial(SAMPLERS["ddim"], eta=0.5)`."""

from collections.abc import Mapping
from types import MappingProxyType

from inkwash.reverse.ancestral import euler_ancestral
from inkwash.reverse.ddim import ddim
from inkwash.reverse.ddpm import ddpm
from inkwash.reverse.dpmpp_2m import dpmpp_2m
from inkwash.reverse.dpmpp_2m_sde import dpmpp_2m_sde
from inkwash.reverse.dpmpp_sde import dpmpp_sde
from inkwash.reverse.euler import euler
from inkwash.reverse.heun import heun
from inkwash.reverse.lms import lms
from inkwash.reverse.step import Sampler

SAMPLERS: Mapping[str, Sampler] = MappingProxyType(
    {
        "euler": euler,
        "euler_ancestral": euler_ancestral,
        "heun": heun,
        "ddim": ddim,
        "ddpm": ddpm,
        "dpmpp_2m": dpmpp_2m,
        "dpmpp_2m_sde": dpmpp_2m_sde,
        "dpmpp_sde": dpmpp_sde,
        "lms": lms,
    }
)
"""Every sampler, deterministic or not."""
