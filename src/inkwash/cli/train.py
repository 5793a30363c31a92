"""`inkwash train`: from pictures to weights, live; the same command goes on where it stopped."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Annotated

from tyro.conf import Positional

from inkwash.errors import Cancelled
from inkwash.request.limits import whole

MOST = 1024
"""Workers and threads: more is a slip."""


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """Train a network from scratch. Ctrl-C saves; the same command resumes."""

    recipe: Annotated[str, Positional]
    """emoji, pets_autoencoder, pets_decoder, pets_text, pets_predictor or tiny."""
    out: Path
    """Where checkpoints, the log, sample sheets and the weights go."""
    data: Path | None = None
    """A folder of pictures (captions in .txt files, metadata.jsonl or metadata.csv), or of WebDataset tars."""
    captions: Path | None = None
    """A JSON of key -> captions that goes before the captions of the data."""
    autoencoder: Path | None = None
    """The autoencoder's file, for predictors of latents and for pets_decoder."""
    text: Path | None = None
    """A folder with a text encoder; where none is given one is taught first."""
    start: Path | None = None
    """A predictor's file to begin with, instead of weights that know nothing: fine-tuning."""
    cache: Path | None = None
    """Where latents and text states are kept; runs beside each other may share it. Default: `cache` next to --out."""
    images: int | None = None
    """Pictures to see in all, instead of the recipe's."""
    workers: int = 1
    """Processes that share every batch."""
    threads: int | None = None
    """Of all processes together. None: one each, which goes on bit for bit after a stop and suffers least beside other
    work; where nothing else runs, one process with a thread per core is quicker."""
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

    from inkwash.cli.learning import curves, pantry_of, recipe_of, shown
    from inkwash.cli.noise_plot import draw_noise_plot
    from inkwash.cli.progress import bar
    from inkwash.device import keep_freed_memory
    from inkwash.training.kitchen import course_of
    from inkwash.training.run import Habits, prepare
    from inkwash.training.run import run as train

    keep_freed_memory()
    recipe = recipe_of(options.recipe, options.images)
    torch.set_num_threads(_threads(options))
    habits = Habits(
        workers=options.workers,
        minutes=options.minutes,
        save_minutes=options.save_minutes,
        sheet_minutes=options.sheet_minutes,
    )
    total = recipe.config.images if recipe.config else recipe.text.steps
    with bar(options.recipe, total) as line, curves(options.out if options.tensorboard else None) as draw:
        course = course_of(recipe, pantry_of(options), line.say)
        if course is None:
            return line.say(f"wrote {options.out}")
        plan = prepare(course, options.out, line.say)
        line.say(f"{f'going on from {plan.start}' if plan.start else 'beginning'}, in {plan.precision}")
        with asked_to_stop() as stop:  # only now: before there is a step to finish, Ctrl-C ends at once
            for event in shown(train(plan, options.out, habits, stop), line):
                draw(event)
        draw_noise_plot(options.out / "log.jsonl", options.out / "loss-by-noise.png")
        if stop():
            raise Cancelled(f"stopped and saved in {options.out}; the same command goes on")
    return None


def _threads(options: TrainOptions) -> int:
    """Of all workers together: at least one each."""
    whole("workers", options.workers, 1, MOST)
    if options.threads is None:
        return options.workers
    whole("threads", options.threads, options.workers, MOST)
    return options.threads


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
