"""How a released model is sampled where a request does not say: from its scheduler, and from what its makers advise."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inkwash.denoiser import Target
from inkwash.errors import InvalidRequest, WeightsError
from inkwash.forward.schedule import FlowSchedule, Schedule
from inkwash.reverse.names import found
from inkwash.reverse.scheduler_class import GRIDLIKE
from inkwash.reverse.scheduler_config import ALMOST_ONLY_NOISE, table_of
from inkwash.weights.configs import Config
from inkwash.weights.distilled import HABITS, LARGE, Haste
from inkwash.weights.families import FAMILIES, Prediction
from inkwash.weights.gathered import Gathered
from inkwash.weights.manifest import Defaults

TARGETS: Mapping[Prediction, Target] = {"epsilon": "epsilon", "v_prediction": "v", "sample": "x0", "flow": "flow"}
GRIDS: Mapping[str, str] = {"leading": "leading", "trailing": "trailing", "linspace": "uniform"}
CURVES: Mapping[str, str] = {
    "use_karras_sigmas": "karras",
    "use_exponential_sigmas": "exponential",
    "use_beta_sigmas": "beta",
}
SHIFT = 3.0
"""Of every Stable Diffusion 3."""


@dataclass(frozen=True)
class Advice:
    """Steps and guidance."""

    steps: int = 50
    guidance: float = 7.5


ADVICE: Mapping[str, Advice] = {
    "sdxl": Advice(50, 5.0), "sdxl-refiner": Advice(50, 5.0), "sdxl-cousin": Advice(50, 5.0),
    "ssd-1b": Advice(25, 9.0), "vega": Advice(25, 9.0), "koala-700m": Advice(25, 3.5), "koala-1b": Advice(25, 3.5),
    "sd3-medium": Advice(50, 5.0), "sd3.5-medium": Advice(50, 5.0), "sd3.5-large": Advice(40, 4.5),
    "sd3-cousin": Advice(50, 5.0),
}  # fmt: skip
"""By family; all others take what Stable Diffusion 1 takes."""
FEW, CONSISTENT = Advice(4, 1.0), Advice(4, 8.5)
"""Of distilled models, which know no guidance, and of consistency models, which are told it."""


def target_of(whole: Gathered) -> Target:
    """What its network tells.  Raises WeightsError for networks in EDM's own units."""
    if whole.told.prediction not in TARGETS:
        raise WeightsError(f"{whole.path} was taught in EDM's units, says {whole.told.by}: that is not painted yet")
    return TARGETS[whole.told.prediction]


def schedule_of(whole: Gathered) -> Schedule:
    """Its levels of noise.  Raises WeightsError for a scheduler that cannot be followed."""
    config = whole.scheduler
    if whole.told.prediction == "flow":
        shift: Any = config.get("shift", SHIFT)
        return FlowSchedule(shift if isinstance(shift, int | float) and shift > 0 else SHIFT, ALMOST_ONLY_NOISE)
    plain = {key: value for key, value in config.items() if key != "rescale_betas_zero_snr"}
    try:
        table = table_of(str(config.get("_class_name", "")), plain)
    except (InvalidRequest, TypeError) as error:
        raise WeightsError(f"{whole.path}: {error}") from None
    return table.zero_terminal_snr() if _without_signal(whole) else table


def defaults_of(whole: Gathered, factor: int) -> Defaults:
    """Size, steps, sampler, spacing and guidance."""
    advice, side = _advice(whole), _side(whole, factor)
    if whole.haste and whole.haste.kind in HABITS:
        return _hurried(whole, whole.haste, side)
    sampler, spacing = _walk(whole.scheduler)
    spacing = "trailing" if _without_signal(whole) and spacing == "leading" else spacing
    return Defaults(side, side, advice.steps, sampler, spacing, advice.guidance, silence=_silent(whole))


def _hurried(whole: Gathered, haste: Haste, side: int) -> Defaults:
    """Of a model that needs few steps, and no guidance unless it is told it."""
    habit = HABITS[haste.kind]
    sampler = LARGE.get(haste.kind, habit.sampler) if whole.identity.family.startswith("sdxl") else habit.sampler
    guidance = CONSISTENT.guidance if (whole.identity.details or {}).get("lcm") else FEW.guidance
    side = habit.size or side
    steps = haste.steps or habit.steps
    return Defaults(side, side, steps, sampler, habit.spacing, guidance, silence=_silent(whole))


def _advice(whole: Gathered) -> Advice:
    config, name = whole.scheduler, str(whole.scheduler.get("_class_name", ""))
    if (whole.identity.details or {}).get("lcm"):
        return CONSISTENT
    if whole.haste and whole.haste.kind == "none":
        return ADVICE.get(whole.identity.family, Advice())
    turbo = config.get("timestep_spacing") == "trailing" and name.startswith("Euler") and not _without_signal(whole)
    if name in ("LCMScheduler", "TCDScheduler") or turbo:
        return FEW
    return ADVICE.get(whole.identity.family, Advice())


def _side(whole: Gathered, factor: int) -> int:
    """Of the pictures it was taught; Stable Diffusion 2 has a smaller sister that tells noise."""
    latents: Any = whole.config(whole.network).get("sample_size")
    if isinstance(latents, int) and 0 < latents * factor <= 4096:
        return latents * factor
    return FAMILIES[whole.identity.family].size if whole.identity.family in FAMILIES else 512


def _walk(config: Config) -> tuple[str, str]:
    """Sampler and spacing that a scheduler stands for; Euler for one that nobody knows."""
    name = str(config.get("_class_name", ""))
    try:
        sampler = found(name).sampler
    except InvalidRequest:
        sampler = "euler"
    if sampler == "dpmpp_2m" and str(config.get("algorithm_type", "")).startswith("sde-"):
        sampler = "dpmpp_2m_sde"
    if name.startswith("FlowMatch"):
        return sampler, "sd3"
    if name in ("LCMScheduler", "TCDScheduler"):
        return sampler, "lcm"
    usual = "leading" if name in GRIDLIKE else "linspace"
    curve = next((spacing for key, spacing in CURVES.items() if config.get(key)), None)
    return sampler, curve or GRIDS.get(str(config.get("timestep_spacing", usual)), "leading")


def _without_signal(whole: Gathered) -> bool:
    """Does its schedule end in noise alone?"""
    return bool(whole.scheduler.get("rescale_betas_zero_snr")) or "ztsnr" in whole.markers


def _silent(whole: Gathered) -> bool:
    """Whether nothing unwanted means zeros rather than the empty prompt: said by a folder, and SDXL's way."""
    said = whole.configs.get("model_index.json", {}).get("force_zeros_for_empty_prompt")
    two = "unet" in whole.parts and {"text_encoder", "text_encoder_2"} <= whole.parts.keys()
    return said if isinstance(said, bool) else two
