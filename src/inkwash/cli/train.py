"""`inkwash train`: from pictures to weights, live; the same command goes on where it stopped."""

import signal
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Annotated

from tyro.conf import Positional

from inkwash.cli.progress import Bar, bar
from inkwash.errors import InvalidRequest


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """Train a network from scratch. Ctrl-C saves; the same command resumes."""

    recipe: Annotated[str, Positional]
    """Which run: tiny, pets_predictor, …"""
    data: Path
    """A folder of pictures (captions in .txt files, metadata.jsonl or metadata.csv), or of WebDataset tars."""
    out: Path
    """Where checkpoints, the log, sample sheets and the weights go."""
    autoencoder: Path
    """The autoencoder's file."""
    text: Path
    """The folder with text.safetensors and tokenizer.json."""
    captions: Path | None = None
    """A JSON of key -> captions that goes before the captions of the data."""
    cache: Path | None = None
    """Where latents and text states are kept; runs beside each other may share it. Default: `cache` next to --out."""
    images: int | None = None
    """Pictures to see in all, instead of the recipe's."""
    workers: int = 1
    """Processes of one thread each that share every batch."""
    minutes: float | None = None
    """Stop and save after so long."""
    save_minutes: float = 5.0
    """Time between two checkpoints."""
    sheet_minutes: float = 10.0
    """Time between two sample sheets."""
    tensorboard: bool = False
    """Write curves for TensorBoard, too."""


def run(options: TrainOptions) -> None:
    """Train, telling the terminal how it goes."""
    import torch

    from inkwash.training.data import read_pictures
    from inkwash.training.parts import read_parts
    from inkwash.training.recipes import RECIPES
    from inkwash.training.run import Habits, prepare
    from inkwash.training.run import run as train

    if options.recipe not in RECIPES:
        raise InvalidRequest("recipe", options.recipe, f"one of {', '.join(RECIPES)}")
    config = RECIPES[options.recipe]()
    if options.images:
        config = replace(config, images=options.images)
    torch.set_num_threads(1)
    habits = Habits(
        workers=options.workers,
        minutes=options.minutes,
        save_minutes=options.save_minutes,
        sheet_minutes=options.sheet_minutes,
    )
    with bar(options.recipe, config.images) as line, asked_to_stop() as stop:
        line.at(0, "reading pictures")
        pictures = read_pictures(options.data, config.size, options.captions, line.say)
        parts = read_parts(options.autoencoder, options.text)
        line.at(0, f"filling the caches of {len(pictures)} pictures")
        plan = prepare(config, pictures, parts, options.out, options.cache or options.out.parent / "cache", line.say)
        del pictures
        line.say(f"{'resuming ' + plan.start.name if plan.start else 'beginning'}, in {plan.precision}")
        for note in notes(train(plan, parts, options.out, habits, stop), line):
            line.at(*note)


def notes(events: Iterator[object], line: Bar) -> Iterator[tuple[int, str]]:
    """What the bar shows after every step; what happens seldom is said in a line of its own."""
    from inkwash.training.loop import Progress
    from inkwash.training.run import Painted, Saved
    from inkwash.training.validate import Validation

    recent: deque[tuple[float, int, float]] = deque(maxlen=50)
    sheet = ""
    for event in events:
        if isinstance(event, Progress):
            recent.append((time.monotonic(), event.images_seen, event.loss))
            speed = (recent[-1][1] - recent[0][1]) / max(recent[-1][0] - recent[0][0], 1e-9)
            loss = sum(loss for _, _, loss in recent) / len(recent)
            yield event.images_seen, f"loss {loss:.4f}  {speed:.1f} images/s  {sheet}"
        elif isinstance(event, Validation):
            bins = " ".join(f"{loss:.3f}" for loss in event.losses)
            line.say(f"{event.images_seen}: held-out loss {event.loss:.4f}, from clean to noisy {bins}")
        elif isinstance(event, Painted):
            sheet = str(event.path)
            line.say(f"{event.images_seen}: {event.path}")
        elif isinstance(event, Saved):
            line.say(f"{event.images_seen}: saved {event.path}")


@contextmanager
def asked_to_stop() -> Iterator["StopSign"]:
    """The first Ctrl-C (or SIGTERM) asks to stop after this step, the second stops at once."""
    sign = StopSign()
    before = {number: signal.signal(number, sign.raised) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield sign
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class StopSign:
    """Has somebody asked to stop?"""

    def __init__(self) -> None:
        self._asked = False

    def __call__(self) -> bool:
        """True after the first signal."""
        return self._asked

    def raised(self, number: int, frame: FrameType | None) -> None:
        """A signal handler."""
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
