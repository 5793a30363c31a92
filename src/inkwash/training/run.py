"""A run from its first to its last picture: learn, look, save, and go on where a killed run stopped."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from inkwash.device import DTYPES, denormals_flushed, keep_freed_memory, only_float32
from inkwash.errors import InvalidRequest
from inkwash.training import checkpoint
from inkwash.training.config import same_run
from inkwash.training.course import Course
from inkwash.training.dice import seed_layers
from inkwash.training.log import Log
from inkwash.training.looks import Looks, Painted, Saved, Validation
from inkwash.training.loop import Progress, gradient, train
from inkwash.training.state import TrainState
from inkwash.training.workers import Team, team_of


@dataclass(frozen=True)
class Plan:
    """What every worker needs to begin; small, so that it can be sent to another process."""

    course: Course
    start: Path | None
    precision: torch.dtype


@dataclass(frozen=True, kw_only=True)
class Habits:
    """How a run is looked after; changes nothing of what it learns."""

    workers: int = 1
    minutes: float | None = None
    """Stop and save after so long."""
    save_minutes: float = 5.0
    sheet_minutes: float = 10.0


Event = Progress | Validation | Saved | Painted


def prepare(course: Course, out: Path, warn: checkpoint.Warn = lambda line: None) -> Plan:
    """Find the checkpoint to go on from, or choose the precision of a new run.

    Raises InvalidRequest if the run in `out` began with another config or other materials.
    """
    _write_down(course, out / "run.json")
    start = checkpoint.newest(out / "checkpoints", warn)
    if start is not None:
        return Plan(course, start, DTYPES[checkpoint.manifest(start)["precision"]])
    return Plan(course, None, chosen_precision(course))


def run(plan: Plan, out: Path, habits: Habits, stop: Callable[[], bool] = lambda: False) -> Iterator[Event]:
    """Learn until the end of the run, or until `stop` says so, and save; yields what happens as it happens."""
    course = plan.course
    config = course.config
    if config.batch % (habits.workers * config.accumulate):
        raise InvalidRequest("workers", habits.workers, f"a divisor of the batch of {config.batch}, times accumulate")
    state, look = begun(plan), Looks(course, out)
    numbers = sum(weight.numel() for weight in state.model.parameters() if weight.requires_grad)
    numbers += 2 * config.batch // habits.workers
    saving, painting = Timer(habits.save_minutes), Timer(habits.sheet_minutes)
    over = Timer(habits.minutes)
    helper = partial(help_learn, Plan(course.alone(), plan.start, plan.precision))
    with (
        team_of(habits.workers, numbers, helper) as team,
        Log(out / "log.jsonl", state.images_seen) as log,
        denormals_flushed(),
    ):
        for progress in train(state, course.lessons(state.images_seen, team), course.objective(), team):
            log.write(progress.images_seen, "step", told(progress))
            yield progress
            if due(progress.images_seen, config.validate_every, config.batch):
                yield from look.examined(state, log)
            if config.snapshots and due(progress.images_seen, max(1, config.images // config.snapshots), config.batch):
                look.snapshot(state)
            if painting.rings():
                yield from look.painted(state)
            if saving.rings():
                yield Saved(state.images_seen, checkpoint.save(out / "checkpoints", state))
            if stop() or over.rings():
                break
        yield Saved(state.images_seen, checkpoint.save(out / "checkpoints", state))
        look.export(state)
        yield from look.painted(state)


def begun(plan: Plan) -> TrainState:
    """The state at the plan's checkpoint, or at the very beginning."""
    config = plan.course.config
    seed_layers(config.seed, 0)
    state = TrainState.fresh(config, plan.course.network(), plan.precision)
    if plan.start is not None:
        checkpoint.load(plan.start, state)
    return state


def help_learn(plan: Plan, team: Team) -> None:
    """What the workers beside the first do: the same steps, without averages, files or looks."""
    keep_freed_memory()
    state = begun(plan)
    state.averages = ()
    with denormals_flushed():
        for _ in train(state, plan.course.lessons(state.images_seen, team), plan.course.objective(), team):
            pass


def told(progress: Progress) -> dict[str, float]:
    """A step as the log keeps it."""
    return {"loss": progress.loss, "rate": progress.rate, "norm": progress.norm}


def due(images: int, every: int, batch: int) -> bool:
    """Did the step that brought the clock to `images` cross a multiple of `every`?"""
    return images // every > (images - batch) // every


def chosen_precision(course: Course, laps: int = 2) -> torch.dtype:
    """The config's precision; for `auto` the faster of float32 and bfloat16 on this machine, in a short race."""
    if course.config.precision != "auto":
        return DTYPES[course.config.precision]
    if only_float32():
        return torch.float32
    state, objective = begun(Plan(course, None, torch.float32)), course.objective()
    part = next(iter(course.lessons(0, Team())))[:1]
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        state.precision = dtype
        times = []
        for _ in range(laps + 1):
            start = time.perf_counter()
            gradient(state, part, objective)
            times.append(time.perf_counter() - start)
        seconds[dtype] = min(times[1:])  # the first lap chooses kernels
    return min(seconds, key=lambda dtype: seconds[dtype])


class Timer:
    """Rings every so many minutes; never, for None."""

    def __init__(self, minutes: float | None) -> None:
        self._every = None if minutes is None else minutes * 60
        self._last = time.monotonic()

    def rings(self) -> bool:
        """Is it time? If so, it starts anew."""
        if self._every is None or time.monotonic() - self._last < self._every:
            return False
        self._last = time.monotonic()
        return True


def _write_down(course: Course, path: Path) -> None:
    """What the run is made of, or a comparison with what was written.  Raises InvalidRequest."""
    materials = dict(course.materials())
    if path.is_file():
        before = json.loads(path.read_text("utf-8"))
        same_run(before["config"], course.config)
        for name, file in materials.items():
            if before["materials"].get(name) != file:
                raise InvalidRequest(name, file, f"{before['materials'].get(name)!r} as when this run began")
    path.parent.mkdir(parents=True, exist_ok=True)
    stage = path.with_suffix(".part")
    stage.write_text(json.dumps({"config": course.config.as_json(), "materials": materials}, indent=1), "utf-8")
    stage.replace(path)
