"""Schedules and defaults from schedulers, as folders of the released models have them."""

from pathlib import Path
from typing import Any

import pytest

from inkwash.errors import WeightsError
from inkwash.forward.schedule import FlowSchedule
from inkwash.weights.containers.source import in_memory
from inkwash.weights.families import Prediction
from inkwash.weights.family import Identity
from inkwash.weights.gathered import Gathered
from inkwash.weights.habits import defaults_of, schedule_of, target_of
from inkwash.weights.prediction import SCHEDULER, Told

BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
PNDM = {"_class_name": "PNDMScheduler", **BETAS, "skip_prk_steps": True, "steps_offset": 1}
XL = {"_class_name": "EulerDiscreteScheduler", **BETAS, "timestep_spacing": "leading", "steps_offset": 1}


def model(scheduler: dict[str, Any], family: str = "sd1", told: Prediction = "epsilon", **more: Any) -> Gathered:
    network = "transformer" if family.startswith("sd3") else "unet"
    configs = {SCHEDULER: scheduler, **{name.replace("__", "/") + ".json": config for name, config in more.items()}}
    parts = {network: in_memory({})}
    return Gathered(Path("cats"), Identity("checkpoint", family), Told(told, "a test"), parts, configs, ())


@pytest.mark.parametrize(
    ("scheduler", "sampler", "spacing"),
    [
        (PNDM, "pndm", "leading"),
        (XL, "euler", "leading"),
        ({**XL, "timestep_spacing": "linspace"}, "euler", "uniform"),
        ({"_class_name": "EulerDiscreteScheduler", **BETAS}, "euler", "uniform"),
        ({**XL, "_class_name": "DPMSolverMultistepScheduler", "use_karras_sigmas": True}, "dpmpp_2m", "karras"),
        ({**XL, "_class_name": "DPMSolverMultistepScheduler", "algorithm_type": "sde-dpmsolver++"}, "dpmpp_2m_sde",
         "leading"),
        ({**XL, "_class_name": "LCMScheduler"}, "lcm", "lcm"),
        ({"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3.0}, "euler", "sd3"),
        ({**XL, "_class_name": "NobodyKnowsScheduler"}, "euler", "leading"),
    ],
)  # fmt: skip
def test_samplers_and_spacings(scheduler: dict[str, Any], sampler: str, spacing: str) -> None:
    found = defaults_of(model(scheduler), 8)
    assert (found.sampler, found.spacing) == (sampler, spacing)


@pytest.mark.parametrize(
    ("family", "scheduler", "steps", "guidance", "size"),
    [
        ("sd1", PNDM, 50, 7.5, 512),
        ("sdxl", XL, 50, 5.0, 1024),
        ("sdxl", {**XL, "timestep_spacing": "trailing"}, 4, 1.0, 1024),
        (
            "sdxl",
            {**XL, "_class_name": "EulerAncestralDiscreteScheduler", "timestep_spacing": "trailing"},
            4,
            1.0,
            1024,
        ),
        ("sdxl", {**XL, "timestep_spacing": "trailing", "rescale_betas_zero_snr": True}, 50, 5.0, 1024),
        ("sd3-medium", {"_class_name": "FlowMatchEulerDiscreteScheduler"}, 50, 5.0, 1024),
        ("sd3.5-medium", {"_class_name": "FlowMatchEulerDiscreteScheduler"}, 50, 5.0, 1024),
    ],
)
def test_advice(family: str, scheduler: dict[str, Any], steps: int, guidance: float, size: int) -> None:
    found = defaults_of(model(scheduler, family), 8)
    assert (found.steps, found.guidance, found.width, found.height) == (steps, guidance, size, size)


def test_the_size_is_the_networks() -> None:
    assert defaults_of(model(PNDM, "sd2", unet__config={"sample_size": 64}), 8).width == 512


def test_silence_is_said_by_a_folder() -> None:
    for said in (True, False):
        assert defaults_of(model(XL, model_index={"force_zeros_for_empty_prompt": said}), 8).silence == said


def test_schedules() -> None:
    assert schedule_of(model(PNDM)).sigma_max == pytest.approx(14.614647, rel=2e-5)
    zero = schedule_of(model({**XL, "rescale_betas_zero_snr": True}, told="v_prediction"))
    assert zero.sigma_max == pytest.approx(4096, rel=1e-3)
    flow = schedule_of(model({"_class_name": "FlowMatchEulerDiscreteScheduler"}, "sd3-medium", "flow"))
    assert isinstance(flow, FlowSchedule)
    assert flow.shift == 3.0
    with pytest.raises(WeightsError, match="cats: beta_schedule is 'steep', but must be linear"):
        schedule_of(model({**PNDM, "beta_schedule": "steep"}))


def test_targets() -> None:
    assert [target_of(model(PNDM, told=each)) for each in ("epsilon", "v_prediction", "sample", "flow")] == [
        "epsilon", "v", "x0", "flow",
    ]  # fmt: skip
    with pytest.raises(WeightsError, match="cats was taught in EDM's units, says a test"):
        target_of(model(PNDM, told="edm"))
