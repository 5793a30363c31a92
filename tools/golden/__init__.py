"""`make golden GOLDEN=DIR`: every number of a folder of goldens, computed anew by inkwash and compared.

Each module of this package owns one file of such a folder and yields its cases; a case computes when it is called.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Verdict:
    """How far a case is from its golden. `error` and `bar` are in the unit that the file's README names."""

    error: float
    bar: float
    note: str = ""

    @property
    def passed(self) -> bool:
        """Within the bar; a NaN is not."""
        return self.error <= self.bar


@dataclass(frozen=True)
class Case:
    """One golden by name; `run` raises NotImplementedError for what inkwash cannot compute yet."""

    name: str
    run: Callable[[], Verdict]


Cases = Callable[[Path], Iterator[Case]]
"""A folder of goldens -> the cases of one file; none if the file is not there."""
