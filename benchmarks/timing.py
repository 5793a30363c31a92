"""Turns in alternation, so that whatever else the machine does strikes all contestants alike."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from time import perf_counter


@dataclass(frozen=True)
class Times:
    """Seconds of every turn."""

    turns: tuple[float, ...]

    @property
    def seconds(self) -> float:
        """The median turn."""
        return median(self.turns)

    @property
    def spread(self) -> str:
        """The quickest and the slowest turn."""
        return f"{min(self.turns):.3g}–{max(self.turns):.3g}"

    def faster_than(self, other: "Times") -> float:
        """Median over rounds of the other's time over ours: above 1 we are faster."""
        return median(theirs / ours for ours, theirs in zip(self.turns, other.turns, strict=True))


def alternated(contestants: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, Times]:
    """Warm every contestant once, then let each have a turn per round, another one first every round."""
    for act in contestants.values():
        act()
    turns: dict[str, list[float]] = {name: [] for name in contestants}
    names = list(contestants)
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            turns[name].append(timed(contestants[name]))
    return {name: Times(tuple(seconds)) for name, seconds in turns.items()}


def timed(act: Callable[[], object]) -> float:
    """Seconds on the wall clock."""
    start = perf_counter()
    act()
    return perf_counter() - start
