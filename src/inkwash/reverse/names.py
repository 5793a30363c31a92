"""What samplers and spacings are called by A1111, Forge, ComfyUI, InvokeAI, stable-diffusion.cpp and diffusers."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import chain
from types import MappingProxyType

from inkwash.errors import InvalidRequest


@dataclass(frozen=True)
class Named:
    """A sampler and a spacing as inkwash calls them."""

    sampler: str
    spacing: str | None = None
    """None where the name says nothing of it, and the program had no habit."""
    discard: bool = False
    """Web UIs leave out the last level but the 0 (`inkwash.reverse.spacing.discarding`)."""


LABELS: Mapping[str, str] = MappingProxyType(
    {
        "euler": "Euler",
        "euler_ancestral": "Euler a",
        "heun": "Heun",
        "ddim": "DDIM",
        "ddpm": "DDPM",
        "dpmpp_2m": "DPM++ 2M",
        "dpmpp_2m_sde": "DPM++ 2M SDE",
        "dpmpp_sde": "DPM++ SDE",
        "lms": "LMS",
        "heunpp2": "HeunPP2",
        "dpm2": "DPM2",
        "dpm2_ancestral": "DPM2 a",
        "dpm_fast": "DPM fast",
        "dpm_adaptive": "DPM adaptive",
        "dpmpp_2s": "DPM++ 2S",
        "dpmpp_3s": "DPM++ 3S",
        "dpmpp_2s_ancestral": "DPM++ 2S a",
        "dpmpp_2m_sde_heun": "DPM++ 2M SDE Heun",
        "dpmpp_3m_sde": "DPM++ 3M SDE",
        "dpmpp_3m": "DPM++ 3M",
        "unipc": "UniPC BH2",
        "unipc_bh1": "UniPC",
        "deis": "DEIS",
        "sa_solver": "SA Solver",
        "sa_solver_pece": "SA Solver PECE",
        "er_sde": "ER SDE",
        "restart": "Restart",
        "res_multistep": "Res Multistep",
        "res_multistep_ancestral": "Res Multistep a",
        "gradient_estimation": "Gradient Estimation",
        "ipndm": "IPNDM",
        "ipndm_v": "IPNDM_V",
        "pndm": "PLMS",
        "seeds_2": "SEEDS 2",
        "seeds_3": "SEEDS 3",
        "exp_heun_2_x0": "Exp Heun 2 x0",
        "exp_heun_2_x0_sde": "Exp Heun 2 x0 SDE",
        "lcm": "LCM",
        "tcd": "TCD",
        "euler_cfg_pp": "DDIM CFG++",
        "euler_ancestral_cfg_pp": "Euler a CFG++",
        "dpmpp_2s_ancestral_cfg_pp": "DPM++ 2S a CFG++",
        "dpmpp_2m_cfg_pp": "DPM++ 2M CFG++",
        "res_multistep_cfg_pp": "Res Multistep CFG++",
        "res_multistep_ancestral_cfg_pp": "Res Multistep a CFG++",
        "gradient_estimation_cfg_pp": "Gradient Estimation CFG++",
        "heun_flow": "Heun Flow",
        "dpm2_flow": "DPM2 Flow",
        "dpmpp_2m_flow": "DPM++ 2M Flow",
    }
)
"""As A1111's web UI shows them, and in its manner where it has none."""
OTHERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "euler": ("EulerDiscreteScheduler", "EDMEulerScheduler", "FlowMatchEulerDiscreteScheduler"),
        "euler_ancestral": ("EulerAncestralDiscreteScheduler",),
        "heun": ("HeunDiscreteScheduler",),
        "heun_flow": ("FlowMatchHeunDiscreteScheduler",),
        "ddim": ("DDIMScheduler",),
        "ddpm": ("DDPMScheduler",),
        "dpmpp_2m": ("DPMSolverMultistepScheduler", "EDMDPMSolverMultistepScheduler"),
        "dpmpp_2m_sde": ("dpmpp_2m_sde_gpu",),
        "dpmpp_2m_sde_heun": ("dpmpp_2m_sde_heun_gpu",),
        "dpmpp_3m_sde": ("dpmpp_3m_sde_gpu",),
        "dpmpp_sde": ("dpmpp_sde_gpu", "DPMSolverSDEScheduler"),
        "dpmpp_2s": ("DPMSolverSinglestepScheduler",),
        "dpm2": ("dpm_2", "kdpm_2", "KDPM2DiscreteScheduler"),
        "dpm2_ancestral": ("dpm_2_ancestral", "dpm_2_a", "kdpm_2_a", "KDPM2AncestralDiscreteScheduler"),
        "dpm_adaptive": ("dpm_ad",),
        "lms": ("LMSDiscreteScheduler",),
        "unipc": ("uni_pc_bh2", "UniPCMultistepScheduler"),
        "unipc_bh1": ("uni_pc",),
        "deis": ("DEISMultistepScheduler",),
        "sa_solver": ("SASolverScheduler",),
        "pndm": ("PNDMScheduler",),
        "ipndm": ("IPNDMScheduler",),
        "lcm": ("LCMScheduler", "FlowMatchLCMScheduler"),
        "tcd": ("TCDScheduler",),
        "gradient_estimation": ("euler_ge",),
    }
)
"""Other spellings, where letters and digits differ and not only what stands between them."""
SPACING_OTHERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "karras": ("k",),
        "uniform": ("discrete", "linspace"),
        "trailing": ("Turbo",),
        "leading": ("DDIM",),
        "align_your_steps": ("AYS", "AYS 11"),
        "gits": ("Align Your Steps GITS",),
        "sd_turbo": ("SDTurbo",),
    }
)
SPACING_KEYS = (
    *("karras", "exponential", "polyexponential", "kl_optimal", "uniform", "normal", "simple", "sgm_uniform"),
    *("trailing", "leading", "ddim_uniform", "beta", "linear_quadratic", "sd3", "align_your_steps"),
    *("align_your_steps_xl", "align_your_steps_svd", "gits", "gits_xl", "lcm", "sd_turbo"),
)
AUTOMATIC: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("dpmpp_2m", "dpmpp_sde", "dpmpp_2s_ancestral", "dpm2", "dpm2_ancestral", "restart"), "karras"),
        **dict.fromkeys(("dpmpp_2m_sde", "dpmpp_2m_sde_heun", "dpmpp_3m_sde"), "exponential"),
        **dict.fromkeys(("ddim", "pndm", "euler_cfg_pp"), "leading"),
    }
)
"""The spacing that A1111 takes with a sampler if none is chosen; `uniform` with the others."""
INVOKED = "_k"
"""InvokeAI's Karras; its names are ours, also where a web UI means something else by the same letters."""
DISCARDING = ("dpm2", "dpm2_ancestral", "dpmpp_3m_sde")


def found(name: str) -> Named:
    """The sampler, and the spacing if the name has one: "DPM++ 2M Karras", "k_euler_a", "uni_pc_bh2", "euler_k", ….

    Names of inkwash stand for themselves. Raises InvalidRequest for a name that nobody uses.
    """
    if name in LABELS:
        return Named(name, discard=name in DISCARDING)
    if name.endswith(INVOKED) and (own := name.removesuffix(INVOKED)) in LABELS:
        return Named(own, "karras", own in DISCARDING)
    letters = _letters(name)
    for rest, spacing in ((letters, None), *_without_spacing(letters)):
        for spelling in (rest, rest.removeprefix("k")):
            if spelling in _SAMPLERS:
                return Named(_SAMPLERS[spelling], spacing, _SAMPLERS[spelling] in DISCARDING)
    wanted = "a sampler's name as inkwash, A1111, ComfyUI, InvokeAI or diffusers has it"
    raise InvalidRequest("sampler", name, wanted + _meant(name, (*LABELS, *LABELS.values(), *chain(*OTHERS.values()))))


def found_spacing(name: str, sampler: str) -> str:
    """The spacing of that name; "Automatic" is A1111's for the `sampler`.  Raises InvalidRequest."""
    letters = _letters(name)
    if letters == "automatic":
        return AUTOMATIC.get(sampler, "uniform")
    if letters not in _SPACINGS:
        meant = _meant(name, (*SPACING_KEYS, *chain(*SPACING_OTHERS.values())))
        raise InvalidRequest("spacing", name, f"one of {', '.join(SPACING_KEYS)}{meant}")
    return _SPACINGS[letters]


def _meant(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name.lower(), {each.lower(): each for each in known}, 3)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def _letters(name: str) -> str:
    """What is left of a name in lower case without spaces and signs; + is p, as in dpmpp."""
    return re.sub(r"[^a-z0-9]", "", name.lower().replace("+", "p"))


def _without_spacing(letters: str) -> list[tuple[str, str]]:
    ends = sorted(_SPACINGS, key=len, reverse=True)
    return [(letters.removesuffix(end), _SPACINGS[end]) for end in ends if letters.endswith(end) and letters != end]


_SAMPLERS: Mapping[str, str] = MappingProxyType(
    {
        **{_letters(key): key for key in LABELS if key != "unipc"},
        **{_letters(label): key for key, label in LABELS.items()},
        **{_letters(other): key for key, others in OTHERS.items() for other in others},
    }
)
_SPACINGS: Mapping[str, str] = MappingProxyType(
    {
        **{_letters(key): key for key in SPACING_KEYS},
        **{_letters(other): key for key, others in SPACING_OTHERS.items() for other in others},
    }
)
