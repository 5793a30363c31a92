"""What a diffusers `scheduler_config.json` asks for: sampler, levels, and what the network is told at each."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from inkwash.errors import InvalidRequest
from inkwash.forward.schedule import (
    STEPS,
    ZERO_SNR,
    DiscreteSchedule,
    FlowSchedule,
    LogSchedule,
    Schedule,
    cosine_betas,
)
from inkwash.reverse.curves import between, curve_of, ended, shifted
from inkwash.reverse.scheduler_class import FLOWING, GRIDLIKE, SOLVERS, Config, sampler_of
from inkwash.reverse.spacing_tables import lcm
from inkwash.reverse.step import Sampler
from inkwash.reverse.timetable import GRIDS, Grid, Timetable, fractional, interpolated, timesteps
from inkwash.types import Sigmas

ALMOST_ONLY_NOISE = 1 - 1e-10
"""Flow schedulers begin at s = 1, where σ would be infinite."""
NOTHING_LEFT = 2.0**-48
"""What ᾱ of the last step becomes in schedulers that leave it 0."""


@dataclass(frozen=True)
class Walk:
    """One way down, ready for a sampler."""

    sampler: Sampler
    sigmas: Sigmas
    schedule: Schedule
    """Tells the network what diffusers would tell it."""
    start: float
    """Standard deviation of the first latents, as clean + σ eps: not always the first level."""


def planned(name: str, config: Config, steps: int) -> Walk:
    """The walk of scheduler class `name` with its `config`, as diffusers 0.42 takes it.

    Keys that are absent have the class's defaults. Raises InvalidRequest for what inkwash does not do.
    """
    if name.startswith("EDM"):
        return _log_levels(name, config, steps)
    if name in FLOWING or config.get("use_flow_sigmas"):
        return _flow(name, config, steps)
    table = table_of(name, config)
    if name in GRIDLIKE:
        levels, told = _grid_levels(name, config, table, steps)
    elif name in SOLVERS:
        levels, told = _solver_levels(name, config, table, steps)
    else:
        levels, told = _sigma_levels(name, config, table, steps)
    top = levels[0].item()
    exact = name not in SOLVERS and name not in GRIDLIKE and _grid(name, config) != "leading"
    schedule = Timetable(table, levels[: len(told)], told)
    start = top if exact else (1 + top**2) ** 0.5
    return Walk(sampler_of(name, config, steps, schedule), levels, schedule, start)


def table_of(name: str, config: Config) -> DiscreteSchedule:
    """The training schedule in single precision, as diffusers keeps it: its smallest level has four digits."""
    late = name.startswith(("Heun", "KDPM2", "DPMSolverSDE", "LCM", "TCD"))
    kind = config.get("beta_schedule", "scaled_linear" if name.startswith(("LCM", "TCD")) else "linear")
    start, end = config.get("beta_start", 0.00085 if late else 1e-4), config.get("beta_end", 0.012 if late else 0.02)
    if config.get("num_train_timesteps", STEPS) != STEPS:
        raise InvalidRequest("num_train_timesteps", config["num_train_timesteps"], f"{STEPS}")
    match kind:
        case "linear":
            betas = torch.linspace(start, end, STEPS)
        case "scaled_linear":
            betas = torch.linspace(start**0.5, end**0.5, STEPS) ** 2
        case "squaredcos_cap_v2":
            betas = cosine_betas().float()
        case _:
            raise InvalidRequest("beta_schedule", kind, "linear, scaled_linear or squaredcos_cap_v2")
    table = DiscreteSchedule.from_alphas((1 - betas).cumprod(0))
    if config.get("rescale_betas_zero_snr"):
        return table.zero_terminal_snr(NOTHING_LEFT if name in GRIDLIKE else ZERO_SNR)
    return table


Plan = tuple[Sigmas, Float[Tensor, " told"]]
"""Levels, and what the network is told at the first of them."""


def _sigma_levels(name: str, config: Config, table: DiscreteSchedule, steps: int) -> Plan:
    """Schedulers that count in σ: fractional t, and curves between the ends of the grid instead of the table's."""
    t = timesteps(_grid(name, config), steps, offset=config.get("steps_offset", 0))
    levels = interpolated(table, t.float().double())
    last = table.sigma_min if config.get("final_sigmas_type") == "sigma_min" else 0.0
    if curve := curve_of(config):
        ends = config.get("sigma_max") or levels[0].item(), config.get("sigma_min") or levels[-1].item()
        levels = between(curve, *ends, steps)
        t = fractional(table, levels)
        t = t.round() if name.startswith("KDPM2") and curve == "use_karras_sigmas" else t
    return ended(levels, last), t


def _solver_levels(name: str, config: Config, table: DiscreteSchedule, steps: int) -> Plan:
    """Schedulers of multistep solvers: whole t, the grid of one step more, curves over the whole table."""
    t = timesteps(_grid(name, config), steps, offset=config.get("steps_offset", 0), one_more=True)
    if _grid(name, config) == "linspace":
        t = t.round()
    levels, curve = interpolated(table, t), curve_of(config)
    if curve:
        levels = between(curve, table.sigma_max, table.sigma_min, steps)
        t = fractional(table, levels)
        t = t.round() if curve in ("use_karras_sigmas", "use_lu_lambdas") else t.floor()
    if name.startswith(("DEIS", "SASolver")):
        return ended(levels, levels[-1].item() if curve else table.sigma_min), t
    own = curve and name.startswith("UniPC")
    last = levels[-1].item() if own else table.sigma_min
    return ended(levels, last if config.get("final_sigmas_type") == "sigma_min" else 0.0), t


def _grid_levels(name: str, config: Config, table: DiscreteSchedule, steps: int) -> Plan:
    """Schedulers that count in whole t and end at the table's first level, or at 0."""
    if name in ("LCMScheduler", "TCDScheduler"):
        t = table.t(lcm(table, steps, taught=config.get("original_inference_steps", 50))[:-1]).double().round()
    else:
        t = timesteps(_grid(name, config), steps, offset=config.get("steps_offset", 0)).round()
    to_zero = name in ("LCMScheduler", "DDPMScheduler") or (
        name in ("DDIMScheduler", "PNDMScheduler") and config.get("set_alpha_to_one", name == "DDIMScheduler")
    )
    return ended(interpolated(table, t), 0.0 if to_zero else table.sigma_min), t


def _flow(name: str, config: Config, steps: int) -> Walk:
    """Levels s of rectified flow, as σ = s / (1 - s)."""
    train = config.get("num_train_timesteps", STEPS)
    k = torch.linspace(0, 1, steps if name in FLOWING else steps + 1, dtype=torch.float64)
    if name in FLOWING:
        shift, low = config.get("shift", 1.0), torch.tensor(1 / train, dtype=torch.float64)
        s = 1 + k * (shifted(low, shift) - 1)
        s = shifted(s, shift)
        if curve := curve_of(config):
            s = between(curve, s[0].item(), s[-1].item(), steps)
        told = s.float() * train
    else:
        shift, highest = config.get("flow_shift", 1.0), 1.0 if name.startswith("UniPC") else 1 - 1 / train
        s = (highest - k * (1 - 1 / train))[:-1]
        told = ((shifted(s, shift) - (1e-6 if highest == 1 else 0) * (s == 1)) * train).floor()
        s = shifted(s, shift)
    s = s.clamp(max=1 - 1e-6 if name.startswith("UniPC") else ALMOST_ONLY_NOISE)
    levels = s / (1 - s)
    again = name.startswith(("DEIS", "SASolver")) or config.get("final_sigmas_type") == "sigma_min"
    levels = ended(levels, levels[-1].item() if again else 0.0)
    schedule = Timetable(FlowSchedule(shift), levels[:-1], told)
    return Walk(sampler_of(name, config, steps, schedule), levels, schedule, 1 + levels[0].item())


def _log_levels(name: str, config: Config, steps: int) -> Walk:
    data = config.get("sigma_data", 0.5)
    schedule = LogSchedule(config.get("sigma_min", 0.002), config.get("sigma_max", 80.0), data)
    curve = "use_" + config.get("sigma_schedule", "karras") + "_sigmas"
    levels = between(curve, schedule.sigma_max, schedule.sigma_min, steps, config.get("rho", 7.0))
    levels = ended(levels, schedule.sigma_min if config.get("final_sigmas_type") == "sigma_min" else 0.0)
    start = (schedule.highest**2 + 1) ** 0.5 / data
    return Walk(sampler_of(name, config, steps, schedule), levels, schedule, start)


def _grid(name: str, config: Config) -> Grid:
    usual = "leading" if name in GRIDLIKE else "linspace"
    asked = config.get("timestep_spacing", usual)
    for grid in GRIDS:
        if asked == grid:
            return grid
    raise InvalidRequest("timestep_spacing", asked, f"one of {', '.join(GRIDS)}")
