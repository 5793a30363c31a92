"""diffusers' scheduler classes by name -> samplers with their options."""

from collections.abc import Callable, Mapping
from functools import partial
from math import inf
from types import MappingProxyType
from typing import Any

import torch

from inkwash.errors import InvalidRequest
from inkwash.forward.schedule import Schedule
from inkwash.reverse.ancestral import euler_ancestral
from inkwash.reverse.ddim import ddim
from inkwash.reverse.ddpm import ddpm
from inkwash.reverse.deis import deis
from inkwash.reverse.dpm2 import dpm2, dpm2_ancestral
from inkwash.reverse.dpmpp_2m_sde import Solver
from inkwash.reverse.dpmpp_3m_sde import Habits, dpmpp_3m_sde
from inkwash.reverse.dpmpp_sde import dpmpp_sde
from inkwash.reverse.euler import euler
from inkwash.reverse.flow import in_flow
from inkwash.reverse.heun import heun
from inkwash.reverse.lcm import lcm
from inkwash.reverse.limits import Limit, limit_of, limited
from inkwash.reverse.lms import lms
from inkwash.reverse.pndm import pndm
from inkwash.reverse.sa_solver import Adams, sa_solver
from inkwash.reverse.singlestep import dpmpp_singlestep
from inkwash.reverse.step import Sampler
from inkwash.reverse.tcd import parts_of_t, tcd
from inkwash.reverse.unipc import Family, UniPC, unipc

Config = Mapping[str, Any]
"""The keys and values of a scheduler_config.json."""

PLAIN: Mapping[str, Sampler] = MappingProxyType(
    {
        "EulerDiscreteScheduler": euler,
        "EulerAncestralDiscreteScheduler": euler_ancestral,
        "HeunDiscreteScheduler": heun,
        "KDPM2DiscreteScheduler": dpm2,
        "KDPM2AncestralDiscreteScheduler": dpm2_ancestral,
        "LMSDiscreteScheduler": lms,
        "DPMSolverSDEScheduler": dpmpp_sde,
        "DDIMScheduler": ddim,
        "PNDMScheduler": pndm,
        "LCMScheduler": lcm,
        "EDMEulerScheduler": euler,
        "FlowMatchEulerDiscreteScheduler": euler,
        "FlowMatchHeunDiscreteScheduler": in_flow(heun),
        "FlowMatchLCMScheduler": lcm,
    }
)
FLOWING = tuple(name for name in PLAIN if name.startswith("FlowMatch"))
GRIDLIKE = ("DDIMScheduler", "DDPMScheduler", "PNDMScheduler", "LCMScheduler", "TCDScheduler")
"""These count in whole t of the training schedule."""
REFUSED: Mapping[str, tuple[Any, ...]] = MappingProxyType(
    {
        "use_dynamic_shifting": (False, None),
        "trained_betas": (None,),
        "lambda_min_clipped": (-inf, None),
        "algorithm_type": ("dpmsolver++", "sde-dpmsolver++", "deis", "data_prediction", None),
        "variance_type": ("fixed_small", "fixed_small_log", "fixed_large", None),
        "shift_terminal": (None,),
        "invert_sigmas": (False, None),
        "stochastic_sampling": (False, None),
        "interpolation_type": ("linear", None),
        "timestep_type": ("discrete", None),
    }
)
"""Keys with the values that are understood; others are refused rather than overlooked."""


def sampler_of(name: str, config: Config, steps: int, schedule: Schedule) -> Sampler:
    """The sampler of a scheduler class; `steps` and `schedule` matter to a few.  Raises InvalidRequest."""
    for key, known in REFUSED.items():
        if config.get(key) not in known:
            raise InvalidRequest(key, config[key], " or ".join(str(each) for each in known))
    if name == "PNDMScheduler" and not config.get("skip_prk_steps", False):
        raise InvalidRequest("skip_prk_steps", False, "True")
    if name in PLAIN or name in SOLVERS:
        made = PLAIN[name] if name in PLAIN else SOLVERS[name](config, steps, schedule)
        return _within(limit_of(name, config), name, made)
    raise InvalidRequest("scheduler", name, f"one of {', '.join([*PLAIN, *SOLVERS])}")


def _within(limit: Limit | None, name: str, sampler: Sampler) -> Sampler:
    if limit is None:
        return sampler
    return partial(ddim, limit=limit) if name == "DDIMScheduler" else limited(sampler, limit)


def _ddpm(config: Config, _steps: int, _: Schedule) -> Sampler:
    return partial(ddpm, wide=config.get("variance_type") == "fixed_large")


def _multistep(config: Config, steps: int, _: Schedule) -> Sampler:
    solver: Solver = "heun" if config.get("solver_type") == "heun" else "midpoint"
    soft = config.get("lower_order_final", True) and steps < 15
    early = config.get("euler_at_final", False) and config.get("final_sigmas_type") == "sigma_min"
    habits = Habits(config.get("solver_order", 2), solver, soft or early)
    return partial(dpmpp_3m_sde, eta=1.0 if config.get("algorithm_type") == "sde-dpmsolver++" else 0.0, habits=habits)


def _singlestep(config: Config, _steps: int, _: Schedule) -> Sampler:
    if config.get("algorithm_type") == "sde-dpmsolver++":
        raise InvalidRequest("algorithm_type", "sde-dpmsolver++", "dpmsolver++ for singlestep")
    solver: Solver = "heun" if config.get("solver_type") == "heun" else "midpoint"
    settle = config.get("lower_order_final", False) or config.get("final_sigmas_type") != "sigma_min"
    return partial(dpmpp_singlestep, order=config.get("solver_order", 2), solver=solver, settle=settle)


def _unipc(config: Config, _steps: int, _: Schedule) -> Sampler:
    family: Family = "bh1" if config.get("solver_type") == "bh1" else "bh2"
    noise, uncorrected = not config.get("predict_x0", True), tuple(config.get("disable_corrector", ()))
    return partial(unipc, method=UniPC(config.get("solver_order", 2), family, noise, uncorrected))


def _deis(config: Config, steps: int, _: Schedule) -> Sampler:
    soft = config.get("lower_order_final", True) and steps < 15
    return partial(deis, order=config.get("solver_order", 2), settle=soft)


def _sa(config: Config, _steps: int, schedule: Schedule) -> Sampler:
    def tau(sigma: float) -> float:
        return 1.0 if 200 <= schedule.t(torch.tensor(sigma)).item() <= 800 else 0.0

    orders = config.get("predictor_order", 2), config.get("corrector_order", 2)
    return partial(sa_solver, method=Adams(*orders, tau, config.get("lower_order_final", True)))


def _tcd(_config: Config, _steps: int, schedule: Schedule) -> Sampler:
    return partial(tcd, below=parts_of_t(schedule))


SOLVERS: Mapping[str, Callable[[Config, int, Schedule], Sampler]] = MappingProxyType(
    {
        "DPMSolverMultistepScheduler": _multistep,
        "DPMSolverSinglestepScheduler": _singlestep,
        "UniPCMultistepScheduler": _unipc,
        "DEISMultistepScheduler": _deis,
        "SASolverScheduler": _sa,
        "EDMDPMSolverMultistepScheduler": _multistep,
        "TCDScheduler": _tcd,
        "DDPMScheduler": _ddpm,
    }
)
