"""The terminal's live display: the only module that knows rich."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


@dataclass(frozen=True)
class Bar:
    """A line that fills up, with a note beside it."""

    progress: Progress
    task: TaskID

    def at(self, done: int, note: str = "") -> None:
        """So much is done."""
        self.progress.update(self.task, completed=done, note=note)

    def say(self, line: str) -> None:
        """A line that stays, above the bar."""
        self.progress.console.print(line, highlight=False, markup=False, soft_wrap=True)


@contextmanager
def bar(title: str, total: int) -> Iterator[Bar]:
    """Show a bar on standard error while the block runs; where no terminal listens only what is said appears."""
    with display(Console(stderr=True), title, total) as line:
        yield line


@contextmanager
def display(console: Console, title: str, total: int) -> Iterator[Bar]:
    """`bar`, on a console of the caller's."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, refresh_per_second=4) as progress:
        yield Bar(progress, progress.add_task(title, total=total, note=""))
