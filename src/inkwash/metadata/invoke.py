"""What InvokeAI's tables say beyond plain fields: rescaled guidance, seamless edges, where noise was drawn."""

from collections.abc import Mapping
from typing import Any

from inkwash.errors import InvalidRequest
from inkwash.request.fields import with_values
from inkwash.request.generate import GenerateRequest

EDGES = {(False, False): "none", (True, False): "x", (False, True): "y", (True, True): "both"}
DEVICES = {"cpu": "cpu", "cuda": "philox"}


def of_invoke(
    request: GenerateRequest, rest: Mapping[str, str], values: Mapping[str, Any]
) -> tuple[GenerateRequest, dict[str, str]]:
    """`request` with what it can hold of a table's `values`, and what is left of `rest`."""
    across, down = (values.get(f"seamless_{axis}") is True for axis in "xy")
    meant = (
        (("cfg_rescale_multiplier",), "rules.rescale", _real(values, "cfg_rescale_multiplier")),
        (("seamless_x", "seamless_y"), "tiling.seamless", EDGES[across, down]),
        (("rand_device",), "noise.rng", DEVICES.get(str(values.get("rand_device")))),
    )
    for keys, place, value in meant:
        if value is None or not any(key in values for key in keys):
            continue
        try:
            request = with_values(request, {place: value})
        except InvalidRequest:
            continue  # a kind of value that only they have: it is shown
        rest = {name: text for name, text in rest.items() if name not in keys}
    return request, dict(rest)


def counted(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of a table of InvokeAI's, that counts the layers of CLIP which are left out: all others count from 1."""
    skipped = values.get("clip_skip")
    return {**values, "clip_skip": skipped + 1} if "rand_device" in values and type(skipped) is int else values


def _real(values: Mapping[str, Any], key: str) -> float | None:
    """A number, or None for what is none."""
    value = values.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
