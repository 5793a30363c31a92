"""What the terminal, and TensorBoard, are told about a run."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from inkwash.cli.progress import Bar
from inkwash.cli.train import TrainOptions
from inkwash.errors import InvalidRequest
from inkwash.training.kitchen import Pantry
from inkwash.training.looks import Painted, Saved, Validation
from inkwash.training.loop import Progress
from inkwash.training.recipes import RECIPES, Recipe
from inkwash.training.run import Event


def recipe_of(name: str, images: int | None = None) -> Recipe:
    """The recipe of that name, for so many pictures.  Raises InvalidRequest for an unknown one."""
    if name not in RECIPES:
        raise InvalidRequest("recipe", name, f"one of {', '.join(RECIPES)}")
    recipe = RECIPES[name]()
    if images is not None and recipe.config is not None:
        return replace(recipe, config=replace(recipe.config, images=images))
    return recipe


def pantry_of(options: TrainOptions) -> Pantry:
    """The paths."""
    return Pantry(
        out=options.out,
        cache=options.cache or options.out.parent / "cache",
        data=options.data,
        captions=options.captions,
        autoencoder=options.autoencoder,
        text=options.text,
        start=options.start,
    )


def shown(events: Iterable[Event], line: Bar) -> Iterator[Event]:
    """Every step moves the bar; what happens seldom is said in a line of its own."""
    recent: deque[tuple[float, int, float]] = deque(maxlen=50)
    note = sheet = ""
    for event in events:
        if isinstance(event, Progress):
            recent.append((time.monotonic(), event.images_seen, event.loss))
            speed = (recent[-1][1] - recent[0][1]) / max(recent[-1][0] - recent[0][0], 1e-9)
            note = f"loss {sum(loss for _, _, loss in recent) / len(recent):.4f}  {speed:.1f} images/s"
            line.at(event.images_seen, f"{note}  {sheet}")
        elif isinstance(event, Validation):
            found = ", ".join(f"{name} {_rounded(value)}" for name, value in event.found.items())
            line.say(f"{event.images_seen}: held out: {found}")
        elif isinstance(event, Painted):
            sheet = str(event.path)
            line.say(f"{event.images_seen}: painted {event.path}")
        elif isinstance(event, Saved):
            line.say(f"{event.images_seen}: saved {event.path}  ({note})")
        yield event


def _rounded(value: object) -> str:
    if isinstance(value, list):
        return " ".join(_rounded(each) for each in value)
    return f"{value:.4f}" if isinstance(value, float) else str(value)


@contextmanager
def curves(folder: Path | None) -> Iterator[Callable[[Event], None]]:
    """What draws events for TensorBoard below `folder`, or ignores them for None.

    Raises InvalidRequest if TensorBoard is missing.
    """
    if folder is None:
        yield lambda event: None
        return
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise InvalidRequest(
            "tensorboard", True, "left out, or installed: pip install 'inkwash[tensorboard]'"
        ) from None

    def draw(event: Event) -> None:
        if isinstance(event, Progress):
            for name in ("loss", "norm", "rate"):
                writer.add_scalar(name, getattr(event, name), event.images_seen)
        elif isinstance(event, Validation):
            for name, value in event.found.items():
                for place, number in enumerate(value if isinstance(value, list) else [value]):
                    writer.add_scalar(f"held out/{name}/{place}", number, event.images_seen)

    with SummaryWriter(str(folder / "tensorboard")) as writer:
        yield draw
