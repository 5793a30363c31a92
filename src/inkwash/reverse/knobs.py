"""What samplers leave open, by the field's names: a sampler with its knobs set."""

from functools import partial
from inspect import signature
from typing import Any

from inkwash.errors import InvalidRequest
from inkwash.reverse.churn import STILL, Churn
from inkwash.reverse.step import Sampler

ALONG_PATHS = (
    *("euler_ancestral", "euler_ancestral_cfg_pp", "dpmpp_sde"),
    *("dpmpp_2m_sde", "dpmpp_2m_sde_heun", "dpmpp_3m_sde"),
)
"""Samplers that say between which levels their noise acts, so that it can follow a Brownian path."""


def tuned(sampler: Sampler, name: str, eta: float | None = None, churn: Churn = STILL) -> Sampler:
    """The sampler called `name` with what is set.  Raises InvalidRequest for a knob that it does not have."""
    knobs: dict[str, Any] = {} if eta is None else {"eta": eta}
    if churn.amount > 0:
        knobs["churn"] = churn
    for knob, value in knobs.items():
        if knob not in signature(sampler).parameters:
            field, told = ("way.eta", value) if knob == "eta" else ("way.s_churn", churn.amount)
            raise InvalidRequest(field, told, f"left out: {name} has no such knob")
    return partial(sampler, **knobs) if knobs else sampler
