import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from inkwash.forward.schedule import STEPS, DiscreteSchedule, FlowSchedule, LogSchedule, Schedule

PLAIN = DiscreteSchedule.scaled_linear()
TABLES: dict[str, DiscreteSchedule] = {
    "scaled_linear": PLAIN,
    "linear": DiscreteSchedule.linear(),
    "cosine": DiscreteSchedule.cosine(),
    "zero_terminal_snr": PLAIN.zero_terminal_snr(),
}
EVERY = pytest.mark.parametrize(
    "schedule", [*TABLES.values(), FlowSchedule(), FlowSchedule(3.0)], ids=[*TABLES, "flow", "flow, shift 3"]
)
TABLE = pytest.mark.parametrize("schedule", TABLES.values(), ids=TABLES.keys())


def alpha(sigma: float) -> float:
    return 1 / (1 + sigma**2)


@TABLE
@given(t=st.floats(0, STEPS - 1, width=32))
@settings(deadline=None)
def test_t_undoes_sigma(schedule: DiscreteSchedule, t: float) -> None:
    there = torch.tensor(t)
    assert schedule.t(schedule.sigma(there)).item() == pytest.approx(t, abs=2e-3)


@TABLE
@given(part=st.floats(0, 1))
@settings(deadline=None)
def test_sigma_undoes_t(schedule: DiscreteSchedule, part: float) -> None:
    level = math.exp(math.log(schedule.sigma_min) * (1 - part) + math.log(schedule.sigma_max) * part)
    back = schedule.sigma(schedule.t(torch.tensor(level))).item()
    assert back == pytest.approx(level, rel=4e-4)  # float32 t; the last step of cosine is a factor of 32


@TABLE
def test_whole_steps_are_exact(schedule: DiscreteSchedule) -> None:
    t = torch.arange(float(STEPS))
    torch.testing.assert_close(schedule.sigma(t), schedule.sigmas, rtol=1e-6, atol=0)
    torch.testing.assert_close(schedule.t(schedule.sigmas), t, rtol=0, atol=1e-3)


@EVERY
def test_noise_only_grows(schedule: Schedule) -> None:
    sigma = schedule.sigma(torch.linspace(0, STEPS - 1, 4001))
    assert (sigma.diff() > 0).all()


@EVERY
@given(level=st.floats(0, 2000, width=32))
@settings(deadline=None)
def test_more_noise_is_never_an_earlier_step(schedule: Schedule, level: float) -> None:
    t = schedule.t(torch.tensor([level, level * 1.01]))
    assert 0 <= t[0].item() <= t[1].item() <= STEPS


@EVERY
def test_ends(schedule: Schedule) -> None:
    assert schedule.sigma(torch.tensor(STEPS - 1.0)).item() == pytest.approx(schedule.sigma_max, rel=1e-5)
    assert 0 < schedule.sigma_min < 0.2
    assert schedule.sigma_max > 10


@EVERY
def test_shapes_pass_through(schedule: Schedule) -> None:
    for shape in ((), (3,), (2, 3)):
        assert schedule.t(torch.ones(shape)).shape == shape
        assert schedule.sigma(torch.ones(shape)).shape == shape


@TABLE
def test_beyond_the_table_its_ends_hold(schedule: DiscreteSchedule) -> None:
    assert schedule.sigma(torch.tensor(5000.0)).item() == pytest.approx(schedule.sigma_max, rel=1e-5)
    assert schedule.sigma(torch.tensor(-3.0)).item() == pytest.approx(schedule.sigma_min, rel=1e-5)
    assert schedule.t(torch.tensor([0.0, math.inf])).tolist() == [0, STEPS - 1]


def test_stable_diffusions_own_numbers() -> None:
    """The levels the field's tables print; the first, sqrt(0.00085 / 0.99915), they print from 1 - ᾱ in float32."""
    assert alpha(PLAIN.sigma_min) == pytest.approx(1 - 0.00085, abs=1e-7)
    assert PLAIN.sigma_min == pytest.approx(math.sqrt(0.00085 / 0.99915), rel=1e-6)
    assert PLAIN.sigma_min == pytest.approx(0.0291675348, rel=2e-5)
    assert PLAIN.sigma_max == pytest.approx(14.6146469, rel=1e-6)
    assert PLAIN.sigma(torch.tensor(333.0)).item() == pytest.approx(0.932358384, rel=1e-6)
    assert PLAIN.sigma(torch.tensor(666.0)).item() == pytest.approx(2.9183085, rel=1e-6)


def test_linear_is_the_product_of_its_betas() -> None:
    level = 1.0
    for k in range(STEPS):
        level *= 1 - (1e-4 + (0.02 - 1e-4) * k / (STEPS - 1))
    assert alpha(DiscreteSchedule.linear().sigma_max) == pytest.approx(level, rel=1e-4)


@given(t=st.integers(0, 900))
@settings(deadline=None)
def test_cosine_is_the_squared_cosine(t: int) -> None:
    def edge(place: float) -> float:
        return math.cos((place + 0.008) / 1.008 * math.pi / 2) ** 2

    level = alpha(DiscreteSchedule.cosine().sigma(torch.tensor(float(t))).item())
    assert level == pytest.approx(edge((t + 1) / STEPS) / edge(0), rel=1e-4)


def test_zero_terminal_snr_keeps_the_start_and_empties_the_end() -> None:
    zero = PLAIN.zero_terminal_snr()
    assert zero.sigma_min == pytest.approx(PLAIN.sigma_min, rel=1e-4)
    assert zero.sigma_max == pytest.approx(4096, rel=1e-6)
    assert (zero.sigmas >= PLAIN.sigmas * (1 - 1e-5)).all()


@given(s=st.floats(0.001, 0.999))
@settings(deadline=None)
def test_flow_tells_a_thousand_times_s(s: float) -> None:
    schedule = FlowSchedule()
    sigma = schedule.sigma(torch.tensor(STEPS * s))
    assert sigma.item() == pytest.approx(s / (1 - s), rel=1e-4)
    assert schedule.t(sigma).item() == pytest.approx(STEPS * s, abs=1e-3)


@given(s=st.floats(0.001, 0.99), shift=st.floats(0.5, 6))
@settings(deadline=None)
def test_shift_moves_s_as_the_paper_says(s: float, shift: float) -> None:
    """Esser et al. 2024, eq. 23: s becomes shift s / (1 + (shift - 1) s)."""
    schedule = FlowSchedule(shift)
    told = schedule.t(schedule.sigma(torch.tensor(STEPS * s))).item()
    assert told == pytest.approx(STEPS * shift * s / (1 + (shift - 1) * s), rel=1e-4)


def test_flow_ends() -> None:
    assert FlowSchedule().sigma_max == pytest.approx(999)
    assert FlowSchedule(3.0).sigma_max == pytest.approx(2997)
    assert FlowSchedule().sigma_min == pytest.approx(1 / 999)
    assert FlowSchedule().sigma(torch.tensor(0.0)).item() == 0
    assert FlowSchedule().sigma(torch.tensor(1000.0)).item() == pytest.approx(999)
    assert FlowSchedule().t(torch.tensor(0.0)).item() == 0


def test_both_kinds_are_schedules() -> None:
    assert isinstance(PLAIN, Schedule)
    assert isinstance(FlowSchedule(), Schedule)


def test_edm_counts_in_a_quarter_of_log_sigma() -> None:
    schedule = LogSchedule()
    assert (schedule.sigma_min, schedule.sigma_max) == (0.004, 160)
    assert schedule.t(torch.tensor(160.0)).item() == pytest.approx(math.log(80) / 4)
    assert schedule.sigma(schedule.t(torch.tensor(3.0))).item() == pytest.approx(3)


def test_as_much_is_left_at_the_end_as_one_says() -> None:
    assert PLAIN.zero_terminal_snr(2.0**-40).sigma_max == pytest.approx(2.0**20)
