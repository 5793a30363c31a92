"""Fields of a request by their places: `field`, or `group.field`."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from inkwash.request.generate import GenerateRequest
from inkwash.reverse.knobs import tuned
from inkwash.reverse.registry import SAMPLERS


def value_at(request: GenerateRequest, place: str) -> Any:
    """The value there."""
    value: Any = request
    for name in place.split("."):
        value = getattr(value, name)
    return value


def with_values(request: GenerateRequest, values: Mapping[str, Any]) -> GenerateRequest:
    """The request with values at their places.

    Raises InvalidRequest for values that it cannot hold, and for a knob that its sampler does not have.
    """
    groups: dict[str, dict[str, Any]] = {}
    for place, value in values.items():
        group, dot, name = place.partition(".")
        groups.setdefault(group if dot else "", {})[name if dot else group] = value
    for group, inside in groups.items():
        request = replace(request, **(inside if not group else {group: replace(getattr(request, group), **inside)}))
    sampler = request.sampler or ""
    if "way.eta" in values and sampler in SAMPLERS:
        tuned(SAMPLERS[sampler], sampler, request.way.eta)
    return request
