"""Noise schedules as values that JSON can hold."""

from dataclasses import dataclass
from typing import Literal

import torch

from inkwash.errors import WeightsError
from inkwash.forward.schedule import DiscreteSchedule, FlowSchedule, Schedule

Kind = Literal["flow", "scaled_linear", "linear", "cosine"]
TABLES: tuple[Kind, ...] = ("scaled_linear", "linear", "cosine")


@dataclass(frozen=True)
class ScheduleSpec:
    """Which schedule a network was trained with."""

    kind: Kind
    zero_terminal_snr: bool = False
    """Of the tables: nothing of the picture is left at the end."""
    shift: float = 1.0
    """Of flow: sampling steps moved toward noise."""
    last: float = 0.999
    """Of flow: s of the noisiest level."""

    def schedule(self) -> Schedule:
        """The schedule itself."""
        match self.kind:
            case "flow":
                return FlowSchedule(self.shift, self.last)
            case "scaled_linear":
                table = DiscreteSchedule.scaled_linear()
            case "linear":
                table = DiscreteSchedule.linear()
            case "cosine":
                table = DiscreteSchedule.cosine()
        return table.zero_terminal_snr() if self.zero_terminal_snr else table


def described(schedule: Schedule) -> ScheduleSpec:
    """The inverse of `ScheduleSpec.schedule`.  Raises WeightsError for a table that no name stands for."""
    if isinstance(schedule, FlowSchedule):
        return ScheduleSpec("flow", shift=schedule.shift, last=schedule.last)
    for spec in (ScheduleSpec(kind, zero) for kind in TABLES for zero in (False, True)):
        table = spec.schedule()
        if isinstance(schedule, DiscreteSchedule) and isinstance(table, DiscreteSchedule):
            same = schedule.sigmas.shape == table.sigmas.shape and torch.equal(schedule.sigmas, table.sigmas)
            if same:
                return spec
    raise WeightsError(f"a {type(schedule).__name__} of its own making cannot be saved; use flow, {', '.join(TABLES)}")
