"""Groups of options in the `parameters` text: the names that the web UI and Forge have for them, both ways."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from inkwash.errors import InvalidRequest
from inkwash.request.generate import GenerateRequest
from inkwash.request.guidance import PAG, FreeU, Rules
from inkwash.request.noise import Noise
from inkwash.request.way import Way
from inkwash.reverse.knobs import tuned
from inkwash.reverse.registry import SAMPLERS

RNGS: Mapping[str, str] = {"CPU": "cpu", "NV": "philox", "GPU": "philox"}
ETA = "Eta"
FREE, PERTURBED, THRESHOLDED = "freeu_enabled", "PerturbedAttentionGuidance_enabled", "dynthres_enabled"
SWITCHES: Mapping[str, tuple[str, ...]] = {
    FREE: ("freeu_b1", "freeu_b2", "freeu_s1", "freeu_s2"),
    PERTURBED: ("PerturbedAttentionGuidance_scale",),
    THRESHOLDED: ("dynthres_mimic_scale", "dynthres_threshold_percentile"),
}
"""Forge writes these only together."""
MODES = ("dynthres_mimic_mode", "dynthres_cfg_mode")
"""Scales that change on the way are Forge's alone."""


def asides(request: GenerateRequest) -> dict[str, object]:
    """Settings by their names; None where a request has nothing to say."""
    noise, way, free, refiner = request.noise, request.way, request.freeu, request.refiner
    rng = {"cpu": "CPU", "philox": "NV"}.get(noise.rng) if noise != Noise() else None
    resized = None if noise.resize_from is None else f"{noise.resize_from[0]}x{noise.resize_from[1]}"
    found: dict[str, object] = {
        "Seed resize from": resized,
        "ENSD": noise.delta or None,
        "RNG": rng,
        "Refiner": f"{Path(refiner.model).stem} [{refiner.sha256[:10]}]" if refiner.model else None,
        "Refiner switch at": f"{refiner.switch_at:g}" if refiner.model else None,
        "Eta DDIM" if request.sampler == "ddim" else ETA: None if way.eta is None else f"{way.eta:g}",
        "Sigma churn": f"{way.s_churn:g}" if way.s_churn else None,
        "Sigma tmin": f"{way.s_tmin:g}" if way.s_tmin else None,
        "Sigma tmax": None if way.s_tmax is None else f"{way.s_tmax:g}",
        "Sigma noise": f"{way.s_noise:g}" if way.s_noise != 1 else None,
        "Discard penultimate sigma": way.discard or None,
    }
    if free.acts:
        found |= {FREE: True} | {f"freeu_{name}": f"{getattr(free, name):g}" for name in ("b1", "b2", "s1", "s2")}
    if request.pag.scale:
        found |= {PERTURBED: True, "PerturbedAttentionGuidance_scale": f"{request.pag.scale:g}"}
    if request.rules.mimic is not None:
        percentile = f"{request.rules.percentile:g}"
        found |= {THRESHOLDED: True, "dynthres_mimic_scale": f"{request.rules.mimic:g}"}
        found |= {"dynthres_threshold_percentile": percentile, **dict.fromkeys(MODES, "Constant")}
    return found


def _pair(value: str) -> tuple[int, int]:
    width, _, height = value.partition("x")
    return int(width), int(height)


Read = Callable[[str], Any]
KEYS: Mapping[str, tuple[str, str, Read]] = {
    "Seed resize from": ("noise", "resize_from", _pair),
    "ENSD": ("noise", "delta", int),
    "RNG": ("noise", "rng", RNGS.__getitem__),
    ETA: ("way", "eta", float),
    "Eta DDIM": ("way", "eta", float),
    "Sigma churn": ("way", "s_churn", float),
    "Sigma tmin": ("way", "s_tmin", float),
    "Sigma tmax": ("way", "s_tmax", float),
    "Sigma noise": ("way", "s_noise", float),
    "Discard penultimate sigma": ("way", "discard", lambda value: {"True": True, "False": False}[value]),
    **{f"freeu_{name}": ("freeu", name, float) for name in ("b1", "b2", "s1", "s2")},
    "PerturbedAttentionGuidance_scale": ("pag", "scale", float),
    "dynthres_mimic_scale": ("rules", "mimic", float),
    "dynthres_threshold_percentile": ("rules", "percentile", float),
}
GROUPS: Mapping[str, type] = {"noise": Noise, "way": Way, "freeu": FreeU, "pag": PAG, "rules": Rules}


def groups_of(settings: Mapping[str, str], sampler: str | None) -> tuple[dict[str, Any], dict[str, str]]:
    """Groups that the settings speak of, and the settings that are left; what does not fit is left as it is.

    `sampler` is ours: a knob that it does not have is no setting.
    """
    rest, asked = dict(settings), dict[str, dict[str, Any]]()
    for key, (group, name, read) in KEYS.items():
        if key not in settings or not _on(key, settings):
            continue
        try:
            value = read(settings[key])
            GROUPS[group](**{name: value})
            if name == "eta" and sampler in SAMPLERS:
                tuned(SAMPLERS[str(sampler)], str(sampler), value)
        except (InvalidRequest, ValueError, KeyError, OverflowError):
            continue
        asked.setdefault(group, {})[name] = value
        del rest[key]
    for switch, keys in SWITCHES.items():
        if switch in rest and not any(key in rest for key in keys):
            for key in (switch, *(MODES if switch == THRESHOLDED else ())):
                rest.pop(key, None)
    return {group: GROUPS[group](**options) for group, options in asked.items()}, rest


def _on(key: str, settings: Mapping[str, str]) -> bool:
    """Whether what the key belongs to is switched on, in a way that we know."""
    switch = next((switch for switch, keys in SWITCHES.items() if key in keys), None)
    if switch == THRESHOLDED and any(settings.get(mode, "Constant") != "Constant" for mode in MODES):
        return False
    return switch is None or settings.get(switch) == "True"
