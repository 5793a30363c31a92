"""A run from its first to its last picture: prepare, learn, look, save, and go on where a killed run stopped."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

import torch

from inkwash.device import DTYPES, Compute
from inkwash.errors import DataError, InvalidRequest
from inkwash.predictor.unet import UNet
from inkwash.training import checkpoint
from inkwash.training.average import wearing
from inkwash.training.cache import Shelf, latent_cache, word_cache
from inkwash.training.config import TrainConfig, same_run
from inkwash.training.data import Pictures, Warn
from inkwash.training.dice import seed_layers
from inkwash.training.lessons import batches
from inkwash.training.log import Log
from inkwash.training.loop import Progress, gradient, train
from inkwash.training.objective import Batch, objective_of
from inkwash.training.parts import Parts, write_part
from inkwash.training.sheet import save_sheet, sheet
from inkwash.training.state import TrainState
from inkwash.training.validate import Validation, validate
from inkwash.training.workers import Team, team_of


@dataclass(frozen=True)
class Plan:
    """What every worker needs to begin; small, so that it can be sent to another process."""

    config: TrainConfig
    latents: Path
    words: Path
    learn: tuple[int, ...]
    held: tuple[int, ...]
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


@dataclass(frozen=True)
class Saved:
    """A checkpoint is on the disk."""

    images_seen: int
    path: Path


@dataclass(frozen=True)
class Painted:
    """A sample sheet is on the disk."""

    images_seen: int
    path: Path


Event = Progress | Validation | Saved | Painted


def prepare(config: TrainConfig, pictures: Pictures, parts: Parts, out: Path, cache: Path, warn: Warn) -> Plan:
    """Fill the caches, find the checkpoint to go on from, choose the precision.

    Raises InvalidRequest if the run in `out` began with another config.
    """
    learn, held = pictures.split(config.held_out)
    if not learn:
        raise DataError(f"{len(pictures)} pictures are too few to hold any out; set held_out to 0")
    latents = latent_cache(parts.space, parts.space_key, pictures, cache, flips=config.flips)
    words = word_cache(parts.words, parts.words_key, pictures.captions, cache)
    fits(config, Shelf.open(latents, words))
    plan = Plan(config, latents, words, tuple(learn), tuple(held), None, torch.float32)
    begin_or_resume(out, config, {"latents": latents.name, "words": words.name})
    start = checkpoint.newest(out / "checkpoints", warn)
    if start is not None:
        return replace(plan, start=start, precision=DTYPES[checkpoint.manifest(start)["precision"]])
    return replace(plan, precision=chosen_precision(plan))


def fits(config: TrainConfig, shelf: Shelf) -> None:
    """Raises InvalidRequest if the network is built for other latents or other words."""
    for field, wanted, found in (
        ("predictor.channels_in", shelf.mean.shape[2], config.predictor.channels_in),
        ("predictor.text_width", shelf.words.rows.shape[1], config.predictor.text_width),
    ):
        if wanted != found:
            raise InvalidRequest(field, found, f"{wanted}, as the autoencoder and the text encoder have it")


def begin_or_resume(out: Path, config: TrainConfig, materials: dict[str, str]) -> None:
    """Write down what the run is made of, or compare it with what was written.  Raises InvalidRequest."""
    path = out / "run.json"
    if path.is_file():
        before = json.loads(path.read_text("utf-8"))
        same_run(before["config"], config)
        for name, file in materials.items():
            if before["materials"].get(name) != file:
                raise InvalidRequest(name, file, f"{before['materials'].get(name)!r} as when this run began")
    out.mkdir(parents=True, exist_ok=True)
    told = {"config": config.as_json(), "materials": materials}
    stage = path.with_suffix(".part")
    stage.write_text(json.dumps(told, indent=1), "utf-8")
    stage.replace(path)


def begun(plan: Plan) -> TrainState:
    """The state at the plan's checkpoint, or at the very beginning."""
    seed_layers(plan.config.seed, 0)
    torch.set_flush_denormal(True)
    state = TrainState.fresh(plan.config, UNet(plan.config.predictor), plan.precision)
    if plan.start is not None:
        checkpoint.load(plan.start, state)
    return state


def help_learn(plan: Plan, team: Team) -> None:
    """What the workers beside the first do: the same steps, without averages, files or words."""
    state = begun(plan)
    state.averages = ()
    shelf = Shelf.open(plan.latents, plan.words)
    lessons = batches(shelf, plan.learn, plan.config, state.images_seen, team)
    for _ in train(state, lessons, objective_of(plan.config), team):
        pass


def run(plan: Plan, parts: Parts, out: Path, habits: Habits, stop: Callable[[], bool]) -> Iterator[Event]:
    """Learn until the end of the run, or until `stop` says so, and save; yields what happens as it happens."""
    config = plan.config
    if config.batch % (habits.workers * config.accumulate):
        raise InvalidRequest("workers", habits.workers, f"a divisor of the batch of {config.batch}, times accumulate")
    state, shelf = begun(plan), Shelf.open(plan.latents, plan.words)
    share = config.batch // habits.workers
    numbers = sum(weight.numel() for weight in state.model.parameters()) + 2 * share
    objective = objective_of(config)
    saving, painting = Timer(habits.save_minutes), Timer(habits.sheet_minutes)
    over = Timer(habits.minutes)
    with (
        team_of(habits.workers, numbers, partial(help_learn, plan)) as team,
        Log(out / "log.jsonl", state.images_seen) as log,
    ):
        lessons = batches(shelf, plan.learn, config, state.images_seen, team)
        for progress in train(state, lessons, objective, team):
            log.write(progress.images_seen, "step", told(progress))
            yield progress
            if plan.held and due(progress.images_seen, config.validate_every, config.batch):
                yield validated(state, plan, shelf, log)
            if due(progress.images_seen, max(1, config.images // max(1, config.snapshots)), config.batch):
                snapshot(state, out)
            if painting.rings() and config.prompts:
                yield painted(state, parts, out, shelf)
            if saving.rings():
                yield Saved(state.images_seen, checkpoint.save(out / "checkpoints", state))
            if stop() or over.rings():
                break
        yield Saved(state.images_seen, checkpoint.save(out / "checkpoints", state))
        if config.prompts:
            yield painted(state, parts, out, shelf)
        write_predictor(state, out)


def told(progress: Progress) -> dict[str, float]:
    """A step as the log keeps it."""
    return {"loss": progress.loss, "rate": progress.rate, "norm": progress.norm}


def due(images: int, every: int, batch: int) -> bool:
    """Did the step that brought the clock to `images` cross a multiple of `every`?"""
    return images // every > (images - batch) // every


def validated(state: TrainState, plan: Plan, shelf: Shelf, log: Log) -> Validation:
    """Validate the narrowest average, and write it down."""
    compute = Compute(torch.device("cpu"), state.precision)
    with wearing(state.model, best(state)):
        found = validate(state.model, shelf, plan.held, plan.config, compute, state.images_seen)
    log.write(found.images_seen, "validation", {"loss": found.loss, "bins": list(found.losses)})
    return found


def painted(state: TrainState, parts: Parts, out: Path, shelf: Shelf) -> Painted:
    """Paint the config's prompts with the narrowest average."""
    path = out / "sheets" / f"{state.images_seen:012d}.png"
    with wearing(state.model, best(state)):
        pixels = sheet(state.model, parts.space, parts.words, state.config, shelf.shape)
    save_sheet(pixels, path)
    return Painted(state.images_seen, path)


def snapshot(state: TrainState, out: Path) -> None:
    """Keep the averages in half precision, so that their width can be chosen when the run is over."""
    for average in state.averages:
        path = out / "snapshots" / f"{state.images_seen:012d}-{average.sigma_rel:.3f}.safetensors"
        write_part(path, {name: weight.half() for name, weight in average.weights.items()}, state.config.predictor)


def write_predictor(state: TrainState, out: Path) -> None:
    """The narrowest average as a part of a bundle: predictor.safetensors."""
    facts = {"images": str(state.images_seen), "target": state.config.target, "schedule": state.config.schedule}
    write_part(out / "predictor.safetensors", dict(best(state)), state.config.predictor, facts)


def best(state: TrainState) -> dict[str, torch.Tensor]:
    """The weights to look at: the first average, or the weights themselves where none is kept."""
    return state.averages[0].weights if state.averages else state.model.state_dict()


def chosen_precision(plan: Plan, rounds: int = 2) -> torch.dtype:
    """The config's precision; for `auto` the faster of float32 and bfloat16 on this machine, in a short race."""
    if plan.config.precision != "auto":
        return DTYPES[plan.config.precision]
    state, shelf = begun(plan), Shelf.open(plan.latents, plan.words)
    parts = next(iter(islice(batches(shelf, plan.learn, plan.config, 0), 1)))[:1]
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        state.precision = dtype
        laps = [_lap(state, parts) for _ in range(rounds + 1)]
        seconds[dtype] = min(laps[1:])  # the first lap chooses kernels
    return min(seconds, key=lambda dtype: seconds[dtype])


def _lap(state: TrainState, parts: list[Batch]) -> float:
    start = time.perf_counter()
    gradient(state, parts, objective_of(state.config))
    return time.perf_counter() - start


class Timer:
    """Rings every so many minutes; never, for None."""

    def __init__(self, minutes: float | None) -> None:
        self._every = None if minutes is None else minutes * 60
        self._next = None if self._every is None else time.monotonic() + self._every

    def rings(self) -> bool:
        """Is it time? Asking sets it for the next."""
        if self._every is None or self._next is None or time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + self._every
        return True
