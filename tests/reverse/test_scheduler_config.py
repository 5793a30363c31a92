"""What classes and keys mean; that the numbers are diffusers' is `test_golden`'s affair."""

import pytest
import torch

from inkwash.errors import InvalidRequest
from inkwash.reverse.scheduler_class import Config
from inkwash.reverse.scheduler_config import planned, table_of

SD: Config = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
SD15: Config = {**SD, "steps_offset": 1, "skip_prk_steps": True, "set_alpha_to_one": False, "clip_sample": False}


def test_absent_keys_have_the_classes_defaults() -> None:
    """The config of Stable Diffusion 1.5 does not name its grid: PNDM then leads, Euler has even t."""
    assert planned("PNDMScheduler", SD15, 20).schedule.t(planned("PNDMScheduler", SD15, 20).sigmas[0]).item() == 951
    euler = planned("EulerDiscreteScheduler", SD15, 20)
    assert euler.schedule.t(euler.sigmas[0]).item() == 999
    assert euler.start == pytest.approx(euler.sigmas[0].item())


def test_the_table_is_that_of_the_class() -> None:
    assert table_of("EulerDiscreteScheduler", {}).sigma_max == pytest.approx(157.407, rel=1e-4)
    assert table_of("LCMScheduler", {}).sigma_max == pytest.approx(14.6146, rel=1e-4)
    zero = {**SD, "rescale_betas_zero_snr": True}
    assert table_of("EulerDiscreteScheduler", zero).sigma_max == pytest.approx(4096)
    assert table_of("DDIMScheduler", zero).sigma_max > 1e7


def test_whole_steps_are_told_where_diffusers_rounds() -> None:
    walk = planned("DPMSolverMultistepScheduler", {**SD, "use_karras_sigmas": True}, 10)
    told = walk.schedule.t(walk.sigmas[:-1])
    assert torch.equal(told, told.round())
    walk = planned("EulerDiscreteScheduler", {**SD, "use_karras_sigmas": True}, 10)
    assert not torch.equal(walk.schedule.t(walk.sigmas[:-1]), walk.schedule.t(walk.sigmas[:-1]).round())


def test_flow_begins_in_noise_alone() -> None:
    walk = planned("FlowMatchEulerDiscreteScheduler", {"shift": 3.0}, 4)
    assert walk.schedule.t(walk.sigmas[0]).item() == 1000
    assert walk.start == pytest.approx(1 + walk.sigmas[0].item())


@pytest.mark.parametrize(
    ("name", "config", "said"),
    [
        ("RePaintScheduler", SD, "scheduler is 'RePaintScheduler'"),
        ("EulerDiscreteScheduler", {**SD, "timestep_spacing": "odd"}, "timestep_spacing is 'odd'"),
        ("EulerDiscreteScheduler", {"beta_schedule": "sigmoid"}, "beta_schedule is 'sigmoid'"),
        ("EulerDiscreteScheduler", {"num_train_timesteps": 500}, "num_train_timesteps is 500"),
        ("DDPMScheduler", {**SD, "variance_type": "learned"}, "variance_type is 'learned'"),
        ("DPMSolverMultistepScheduler", {**SD, "algorithm_type": "dpmsolver"}, "algorithm_type is 'dpmsolver'"),
        ("DPMSolverSinglestepScheduler", {**SD, "algorithm_type": "sde-dpmsolver++"}, "algorithm_type is 'sde"),
        ("PNDMScheduler", SD, "skip_prk_steps is False"),
    ],
)
def test_what_is_not_understood_is_refused(name: str, config: Config, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        planned(name, config, 4)


def test_the_classes_that_only_real_configs_name_work_too() -> None:
    for name in ("DPMSolverSDEScheduler", "FlowMatchLCMScheduler"):
        assert planned(name, {}, 5).sigmas.shape == (6,)
    assert planned("DPMSolverMultistepScheduler", {"beta_schedule": "squaredcos_cap_v2"}, 5).sigmas[-1] == 0
