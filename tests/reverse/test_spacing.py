import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from inkwash.errors import InvalidRequest
from inkwash.forward.schedule import DiscreteSchedule, FlowSchedule, Schedule
from inkwash.reverse.spacing import (
    SPACINGS,
    beta,
    discarding,
    karras,
    karras_between,
    kl_optimal,
    leading,
    linear_quadratic,
    polyexponential,
    sd3,
    simple,
    trailing,
    uniform,
)
from inkwash.reverse.spacing_tables import FAR, Spacing

PLAIN = DiscreteSchedule.scaled_linear()
SCHEDULES: dict[str, Schedule] = {
    "scaled_linear": PLAIN,
    "linear": DiscreteSchedule.linear(),
    "cosine": DiscreteSchedule.cosine(),
    "zero_terminal_snr": PLAIN.zero_terminal_snr(),
    "flow": FlowSchedule(),
    "flow, shift 3": FlowSchedule(shift=3.0),
}
BELOW = ("leading", "ddim_uniform")
"""These begin below sigma_max."""
CASES: list[dict[str, Any]] = json.loads((Path(__file__).parent.parent / "golden" / "schedulers.json").read_text())[
    "cases"
]


def golden(name: str) -> Tensor:
    return torch.tensor(next(case for case in CASES if case["name"] == name)["sigmas"])


@given(spacing=st.sampled_from(list(SPACINGS)), schedule=st.sampled_from(list(SCHEDULES)), steps=st.integers(1, 150))
@settings(max_examples=50, deadline=None)
def test_falls_from_sigma_max_to_exactly_zero(spacing: str, schedule: str, steps: int) -> None:
    noise = SCHEDULES[schedule]
    sigmas = SPACINGS[spacing](noise, steps)
    assert sigmas.shape == (steps + 1,)
    assert (sigmas.dtype, sigmas.device.type) == (torch.float32, "cpu")
    if spacing not in BELOW:
        assert sigmas[0].item() == pytest.approx(noise.sigma_max, rel=1e-6)
    assert sigmas[-1].item() == 0
    assert (sigmas.diff() < 0).all()


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES.keys())
@pytest.mark.parametrize("name", ["karras", "exponential", "polyexponential", "kl_optimal", "uniform", "normal"])
def test_the_last_level_with_noise_is_sigma_min(name: str, schedule: Schedule) -> None:
    assert SPACINGS[name](schedule, 20)[-2].item() == pytest.approx(schedule.sigma_min, rel=1e-4)


@pytest.mark.parametrize(
    ("spacing", "case"),
    [
        (
            SPACINGS["karras"],
            "EulerDiscreteScheduler n=20 steps_offset=1 timestep_spacing=linspace use_karras_sigmas=True",
        ),
        (
            SPACINGS["exponential"],
            "EulerDiscreteScheduler n=20 steps_offset=1 timestep_spacing=linspace use_exponential_sigmas=True",
        ),
        (
            partial(beta, over_sigma=True),
            "EulerDiscreteScheduler n=10 steps_offset=1 timestep_spacing=linspace use_beta_sigmas=True",
        ),
        (
            SPACINGS["uniform"],
            "EulerDiscreteScheduler n=10 prediction_type=epsilon steps_offset=1 timestep_spacing=linspace",
        ),
        (
            SPACINGS["simple"],
            "EulerDiscreteScheduler n=10 prediction_type=epsilon steps_offset=1 timestep_spacing=trailing",
        ),
    ],
    ids=["karras", "exponential", "beta", "uniform", "simple"],
)
def test_levels_are_diffusers(spacing: Spacing, case: str) -> None:
    sigmas = golden(case)
    torch.testing.assert_close(
        spacing(PLAIN, len(sigmas) - 1), sigmas, rtol=1e-5, atol=5e-7
    )  # its sigma_min is float32's


def test_uniform_is_even_in_t() -> None:
    t = PLAIN.t(uniform(PLAIN, 12)[:-1])
    torch.testing.assert_close(t.diff(), torch.full((11,), -999 / 11), rtol=1e-3, atol=0)


def test_sgm_uniform_leaves_the_first_t_out() -> None:
    torch.testing.assert_close(SPACINGS["sgm_uniform"](PLAIN, 10)[:-1], uniform(PLAIN, 11)[:-2])


def test_beta_visits_both_ends_more_often() -> None:
    steps = -PLAIN.t(beta(PLAIN, 20)[:-1]).diff()
    assert steps[0] < steps[9] > steps[-1]
    assert PLAIN.t(beta(PLAIN, 20))[10].item() == pytest.approx(499.5, abs=0.5)


@pytest.mark.parametrize("name", [name for name in SPACINGS if name != "linear_quadratic"])
def test_flow_spends_its_steps_where_pictures_form(name: str) -> None:
    sigmas = SPACINGS[name](FlowSchedule(), 25)
    assert (sigmas > FAR).sum() <= 3
    assert ((sigmas > 0.1) & (sigmas < 10)).sum() >= 8


def test_a_longer_karras_rho_leans_to_small_levels() -> None:
    assert karras(PLAIN, 10, rho=7.0)[5] < karras(PLAIN, 10, rho=1.0)[5]


@pytest.mark.parametrize("name", SPACINGS)
def test_no_steps_are_refused(name: str) -> None:
    with pytest.raises(InvalidRequest, match="steps is 0, but must be at least 1"):
        SPACINGS[name](PLAIN, 0)


def test_simple_has_no_more_steps_than_levels() -> None:
    assert len(simple(PLAIN, 1000)) == 1001
    with pytest.raises(InvalidRequest, match="at most 1000"):
        simple(PLAIN, 1001)


def test_the_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        SPACINGS["karras"] = simple  # type: ignore[index]


def test_polyexponential_of_one_is_exponential() -> None:
    torch.testing.assert_close(polyexponential(PLAIN, 12), SPACINGS["exponential"](PLAIN, 12), rtol=1e-5, atol=0)
    assert polyexponential(PLAIN, 12, rho=2.0)[6] < polyexponential(PLAIN, 12)[6]


def test_kl_optimal_is_even_in_the_arc() -> None:
    steps = kl_optimal(PLAIN, 9)[:-1].atan().diff()
    torch.testing.assert_close(steps, steps.mean().expand(8), rtol=1e-4, atol=0)


def test_trailing_and_leading_stop_at_diffusers_steps() -> None:
    for grid, spacing in (("trailing", trailing), ("leading", leading)):
        sigmas = golden(f"EulerDiscreteScheduler n=20 prediction_type=epsilon steps_offset=1 timestep_spacing={grid}")
        torch.testing.assert_close(spacing(PLAIN, 20), sigmas, rtol=1e-5, atol=0)


def test_linear_quadratic_crawls_and_then_speeds_up() -> None:
    gone = 1 - linear_quadratic(PLAIN, 10)[:-1] / PLAIN.sigma_max
    torch.testing.assert_close(gone[:6], torch.arange(6) * 0.005, rtol=1e-3, atol=1e-7)
    assert (gone[5:].diff().diff() > 0).all()


def test_sd3_ends_where_diffusers_does() -> None:
    flow = FlowSchedule(shift=3.0, last=1 - 1e-7)
    s = sd3(flow, 10)
    s = s / (1 + s)
    case = "FlowMatchEulerDiscreteScheduler n=10 shift=3.0"
    torch.testing.assert_close(s, golden(case), rtol=1e-5, atol=2e-7)


def test_discarding_leaves_out_the_last_but_one() -> None:
    assert torch.equal(discarding(karras)(PLAIN, 9), torch.cat([karras(PLAIN, 10)[:9], torch.zeros(1)]))


def test_karras_between_any_two_levels() -> None:
    torch.testing.assert_close(karras_between(PLAIN.sigma_max, PLAIN.sigma_min, 8), karras(PLAIN, 8))


def test_leading_has_less_steps_than_levels() -> None:
    with pytest.raises(InvalidRequest, match="at most 999"):
        leading(PLAIN, 1000)
