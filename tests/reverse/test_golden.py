"""Trajectories against diffusers 0.42.1, whose final samples are kept in tests/golden/schedulers.json.

Its loop starts from arange(768) / 768 times init_noise_sigma (1 for DDIM, DDPM and DPM++, which count in
variance-preserving units), asks the network eps = x_in * t / (t + 1), and draws all noise from one generator with
seed 0. Heun on flow is left out: a mean of two slopes depends on the coordinates.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from inkwash.denoiser import NetworkDenoiser, Target
from inkwash.forward.noising import shrink
from inkwash.forward.schedule import DiscreteSchedule, FlowSchedule, Schedule
from inkwash.reverse.ancestral import euler_ancestral
from inkwash.reverse.ddim import ddim
from inkwash.reverse.ddpm import ddpm
from inkwash.reverse.dpmpp_2m import dpmpp_2m
from inkwash.reverse.dpmpp_2m_sde import dpmpp_2m_sde
from inkwash.reverse.euler import euler
from inkwash.reverse.heun import heun
from inkwash.reverse.lms import lms
from inkwash.reverse.step import Sampler
from inkwash.rng import NoiseSource
from inkwash.types import TextStates

Case = dict[str, Any]
CASES: list[Case] = json.loads((Path(__file__).parent.parent / "golden" / "schedulers.json").read_text())["cases"]
TARGETS: dict[str, Target] = {"epsilon": "epsilon", "v_prediction": "v", "flow_prediction": "flow"}
NO_TEXT = TextStates(torch.zeros(4, 1, 1))
ALMOST_ONLY_NOISE = 1 - 1e-7
"""Flow trajectories of diffusers begin at s = 1, where sigma is infinite."""


@dataclass(frozen=True)
class OneStream(NoiseSource):
    """diffusers draws the noise of a whole batch from one generator."""

    def draw(self, shape: tuple[int, ...]) -> Tensor:
        return torch.randn((4, *shape), generator=self.streams[0])


@dataclass(frozen=True)
class Told:
    """The harness network; hears the time steps of the case, as some of its classes round theirs."""

    timesteps: Tensor

    def __call__(self, x: Tensor, t: Tensor, text: TextStates) -> Tensor:
        heard = self.timesteps[(self.timesteps[:, None] - t).abs().argmin(0)].reshape(-1, 1, 1, 1)
        return x * heard / (heard + 1)


@lru_cache
def schedule(zero_snr: bool) -> DiscreteSchedule:
    plain = DiscreteSchedule.scaled_linear()
    return plain.zero_terminal_snr() if zero_snr else plain


def sampler(case: Case) -> Sampler:
    cfg = case["cfg"]
    if cfg.get("algorithm_type"):
        return partial(dpmpp_2m_sde, solver=cfg.get("solver_type", "midpoint"))
    if cfg.get("solver_type") == "heun":
        return partial(dpmpp_2m_sde, eta=0.0, solver="heun")
    if cfg.get("solver_order") == 1:
        return ddim
    return {
        "EulerDiscreteScheduler": euler,
        "EulerAncestralDiscreteScheduler": euler_ancestral,
        "HeunDiscreteScheduler": heun,
        "LMSDiscreteScheduler": lms,
        "DDIMScheduler": ddim,
        "DDPMScheduler": ddpm,
        "DPMSolverMultistepScheduler": dpmpp_2m,
        "FlowMatchEulerDiscreteScheduler": euler,
    }[case["cls"]]


def levels(case: Case, noise: Schedule) -> Tensor:
    if "sigmas" in case:
        listed = torch.tensor(case["sigmas"], dtype=torch.float64)
        return listed.unique_consecutive()
    end = noise.sigma_min if case["cls"] == "DDIMScheduler" else 0.0
    return torch.cat([noise.sigma(torch.tensor(case["timesteps"])), torch.tensor([end])]).double()


def start() -> Tensor:
    return (torch.arange(768).reshape(3, 8, 8, 4) / 768).permute(3, 0, 1, 2).double()


def last(sampler: Sampler, denoise: Callable[[Tensor, Tensor], Tensor], x: Tensor, sigmas: Tensor) -> Tensor:
    noise = OneStream((torch.Generator().manual_seed(0),))
    *_, step = sampler(denoise, x, sigmas, noise)
    return step.x


def told(x: Tensor, case: Case) -> None:
    assert x.abs().sum().item() == pytest.approx(case["sum"], rel=1e-5)
    corner = torch.tensor(case["slice"], dtype=torch.float64)
    torch.testing.assert_close(x[0, -1, -3:, -3:].flatten(), corner, rtol=1e-5, atol=1e-5 * corner.abs().max().item())


def flows(case: Case) -> bool:
    return case["cls"].startswith("FlowMatch") or "use_flow_sigmas" in case["cfg"]


@pytest.mark.parametrize("case", [c for c in CASES if not flows(c)], ids=lambda c: c["name"])
def test_the_last_sample_is_diffusers(case: Case) -> None:
    noise = schedule("rescale_betas_zero_snr" in case["cfg"])
    target = TARGETS[case["cfg"].get("prediction_type", "epsilon")]
    denoise = NetworkDenoiser(Told(torch.tensor(case["timesteps"])), noise, target, NO_TEXT)
    sigmas = levels(case, noise)
    up = case["init_noise_sigma"] if "sigmas" in case else 1.0
    up = up if up != 1 else (1 + sigmas[0] ** 2).sqrt()
    x = last(sampler(case), denoise, (start() * up).float(), sigmas.float())
    told(x.double() * shrink(sigmas[-1]), case)


@pytest.mark.parametrize("case", [c for c in CASES if flows(c)], ids=lambda c: c["name"])
def test_the_last_sample_is_diffusers_for_flow(case: Case) -> None:
    denoise = NetworkDenoiser(Told(torch.tensor(case["timesteps"])), FlowSchedule(), "flow", NO_TEXT)
    part = levels(case, FlowSchedule()).clamp(max=ALMOST_ONLY_NOISE)
    told(last(sampler(case), denoise, start() / (1 - part[0]), part / (1 - part)), case)
