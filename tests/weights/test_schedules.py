import pytest
import torch

from inkwash.errors import WeightsError
from inkwash.forward.schedule import DiscreteSchedule, FlowSchedule, Schedule
from inkwash.weights.plain import built, plain
from inkwash.weights.schedules import TABLES, ScheduleSpec, described

SPECS = [ScheduleSpec("flow"), ScheduleSpec("flow", shift=3.0, last=0.99)]
SPECS += [ScheduleSpec(kind, zero) for kind in TABLES for zero in (False, True)]


@pytest.mark.parametrize("spec", SPECS)
def test_a_schedule_tells_its_name(spec: ScheduleSpec) -> None:
    assert described(spec.schedule()) == spec
    assert built(ScheduleSpec, plain(spec)) == spec


@pytest.mark.parametrize(
    ("kind", "schedule"),
    [
        ("flow", FlowSchedule()),
        ("scaled_linear", DiscreteSchedule.scaled_linear()),
        ("linear", DiscreteSchedule.linear()),
        ("cosine", DiscreteSchedule.cosine()),
    ],
)
def test_names_stand_for_what_they_say(kind: str, schedule: Schedule) -> None:
    made = built(ScheduleSpec, {"kind": kind}).schedule()
    assert (made.sigma_min, made.sigma_max) == (schedule.sigma_min, schedule.sigma_max)


def test_a_table_without_a_name_cannot_be_saved() -> None:
    with pytest.raises(WeightsError, match="DiscreteSchedule of its own making"):
        described(DiscreteSchedule(torch.tensor([0.1, 1.0, 10.0])))
