"""What a diffusers `scheduler_config.json` asks for: sampler, levels, and what the network is told at each."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from inkwash.errors import InvalidRequest
from inkwash.forward.schedule import STEPS, ZERO_SNR, DiscreteSchedule, FlowSchedule, LogSchedule, Schedule
from inkwash.reverse.beta import beta_quantile
from inkwash.reverse.scheduler_class import FLOWING, GRIDLIKE, SOLVERS, Config, sampler_of
from inkwash.reverse.spacing_tables import lcm
from inkwash.reverse.step import Sampler
from inkwash.reverse.timetable import GRIDS, Grid, Timetable, fractional, interpolated, timesteps
from inkwash.types import Sigmas

CURVES = ("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_lu_lambdas")
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
            return DiscreteSchedule.cosine()
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
    if curve := _curve(config):
        ends = config.get("sigma_max") or levels[0].item(), config.get("sigma_min") or levels[-1].item()
        levels = _between(curve, *ends, steps)
        t = fractional(table, levels)
        t = t.round() if name.startswith("KDPM2") and curve == "use_karras_sigmas" else t
    return _ended(levels, last), t


def _solver_levels(name: str, config: Config, table: DiscreteSchedule, steps: int) -> Plan:
    """Schedulers of multistep solvers: whole t, the grid of one step more, curves over the whole table."""
    t = timesteps(_grid(name, config), steps, offset=config.get("steps_offset", 0), one_more=True)
    if _grid(name, config) == "linspace":
        t = t.round()
    levels, curve = interpolated(table, t), _curve(config)
    if curve:
        levels = _between(curve, table.sigma_max, table.sigma_min, steps)
        t = fractional(table, levels)
        t = t.round() if curve in ("use_karras_sigmas", "use_lu_lambdas") else t.floor()
    if name.startswith(("DEIS", "SASolver")):
        return _ended(levels, levels[-1].item() if curve else table.sigma_min), t
    own = curve and name.startswith("UniPC")
    last = levels[-1].item() if own else table.sigma_min
    return _ended(levels, last if config.get("final_sigmas_type") == "sigma_min" else 0.0), t


def _grid_levels(name: str, config: Config, table: DiscreteSchedule, steps: int) -> Plan:
    """Schedulers that count in whole t and end at the table's first level, or at 0."""
    if name in ("LCMScheduler", "TCDScheduler"):
        t = table.t(lcm(table, steps, taught=config.get("original_inference_steps", 50))[:-1]).double().round()
    else:
        t = timesteps(_grid(name, config), steps, offset=config.get("steps_offset", 0)).round()
    to_zero = name in ("LCMScheduler", "DDPMScheduler") or (
        name in ("DDIMScheduler", "PNDMScheduler") and config.get("set_alpha_to_one", name == "DDIMScheduler")
    )
    return _ended(interpolated(table, t), 0.0 if to_zero else table.sigma_min), t


def _flow(name: str, config: Config, steps: int) -> Walk:
    """Levels s of rectified flow, as σ = s / (1 - s)."""
    k = torch.linspace(0, 1, steps if name in FLOWING else steps + 1, dtype=torch.float64)
    if name in FLOWING:
        shift, low = config.get("shift", 1.0), torch.tensor(1 / STEPS, dtype=torch.float64)
        s = 1 + k * (_shifted(low, shift) - 1)
        told = _shifted(s, shift).float() * STEPS
    else:
        shift, highest = config.get("flow_shift", 1.0), 1.0 if name.startswith("UniPC") else 1 - 1 / STEPS
        s = (highest - k * (1 - 1 / STEPS))[:-1]
        told = ((_shifted(s, shift) - (1e-6 if highest == 1 else 0) * (s == 1)) * STEPS).floor()
    s = _shifted(s, shift).clamp(max=1 - 1e-6 if name.startswith("UniPC") else ALMOST_ONLY_NOISE)
    levels = _ended(s / (1 - s), 0.0)
    schedule = Timetable(FlowSchedule(shift), levels[:-1], told)
    return Walk(sampler_of(name, config, steps, schedule), levels, schedule, 1 + levels[0].item())


def _shifted(s: Float[Tensor, "..."], shift: float) -> Float[Tensor, "..."]:
    shifted: Tensor = s * shift / (s * (shift - 1) + 1)
    return shifted


def _log_levels(name: str, config: Config, steps: int) -> Walk:
    data = config.get("sigma_data", 0.5)
    schedule = LogSchedule(config.get("sigma_min", 0.002), config.get("sigma_max", 80.0), data)
    curve = "use_" + config.get("sigma_schedule", "karras") + "_sigmas"
    levels = _ended(_between(curve, schedule.sigma_max, schedule.sigma_min, steps, config.get("rho", 7.0)), 0.0)
    start = (schedule.highest**2 + 1) ** 0.5 / data
    return Walk(sampler_of(name, config, steps, schedule), levels, schedule, start)


def _curve(config: Config) -> str | None:
    return next((each for each in CURVES if config.get(each)), None)


def _between(curve: str, top: float, bottom: float, steps: int, rho: float = 7.0) -> Float[Tensor, " {steps}"]:
    """`steps` levels from `top` to `bottom`, in float64."""
    part = torch.linspace(0, 1, steps, dtype=torch.float64)
    match curve:
        case "use_karras_sigmas":
            roots = torch.tensor([top, bottom], dtype=torch.float64) ** (1 / rho)
            return torch.lerp(roots[0], roots[1], part) ** rho
        case "use_beta_sigmas":
            return bottom + beta_quantile(1 - part, 0.6, 0.6) * (top - bottom)
        case _:
            ends = torch.tensor([top, bottom], dtype=torch.float64).log()
            return torch.lerp(ends[0], ends[1], part).exp()


def _grid(name: str, config: Config) -> Grid:
    usual = "leading" if name in GRIDLIKE else "linspace"
    asked = config.get("timestep_spacing", usual)
    for grid in GRIDS:
        if asked == grid:
            return grid
    raise InvalidRequest("timestep_spacing", asked, f"one of {', '.join(GRIDS)}")


def _ended(levels: Float[Tensor, " n"], last: float) -> Sigmas:
    return torch.cat([levels.float(), torch.tensor([last])])
