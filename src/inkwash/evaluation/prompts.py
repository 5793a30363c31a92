"""What is painted to be measured: every prompt with its seed, the same for every model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

from inkwash.evaluation.pictures import Pictures, chunks
from inkwash.evaluation.reals import Photos
from inkwash.evaluation.views import Told, silent

Painter = Callable[[Sequence[str], Sequence[int]], Pictures]
"""paint(prompts, seeds): one picture for each."""

NAMED = ("beagle", "pug", "Samoyed", "German shepherd", "Maltese", "chow chow", "Rottweiler", "Pomeranian")
"""The breeds that the bars name."""
COATS = ("black", "white", "gray", "orange", "black and white")
"""The coats that captions name."""


@dataclass(frozen=True)
class Task:
    """One picture to paint, and what it should show; `breed` is empty for a cat."""

    prompt: str
    seed: int
    species: str
    breed: str = ""


def species_tasks(breeds: Mapping[str, str], pictures: int) -> list[Task]:
    """Half cats, half dogs of all breeds alike; `breeds` maps each to its caption."""
    half, names = pictures // 2, list(breeds)
    cats = [Task("a photo of a cat", seed, "cat") for seed in range(half)]
    turns = [names[turn % len(names)] for turn in range(pictures - half)]
    return cats + [Task(breeds[name], half + turn, "dog", name) for turn, name in enumerate(turns)]


def named_tasks(breeds: Mapping[str, str], each: int, first_seed: int) -> list[Task]:
    """`each` pictures of every named breed."""
    wanted = [name for name in NAMED if name in breeds for _ in range(each)]
    return [Task(breeds[name], first_seed + turn, "dog", name) for turn, name in enumerate(wanted)]


def coat_tasks(each: int, first_seed: int) -> list[Task]:
    """`each` cats of every coat."""
    wanted = [coat for coat in COATS for _ in range(each)]
    return [Task(f"a photo of a {coat} cat", first_seed + turn, "cat") for turn, coat in enumerate(wanted)]


def painted(paint: Painter, tasks: Sequence[Task], told: Told = silent, batch: int = 16) -> Pictures:
    """Paint every task, in order."""
    parts = []
    for part in chunks(len(tasks), batch):
        parts.append(paint([task.prompt for task in tasks[part]], [task.seed for task in tasks[part]]))
        told("painting", part.stop, len(tasks))
    return torch.cat(parts)


def partners(photos: Photos, tasks: Sequence[Task], each: int = 1, taken: Sequence[int] = ()) -> list[int]:
    """Rows of photographs with the captions of the tasks, `each` per task, none twice, none of `taken`.

    Where photographs of a caption run out, its tasks go without.
    """
    free: dict[str, list[int]] = {}
    used = set(taken)
    for row in reversed(range(len(photos))):
        if row not in used:
            free.setdefault(photos.about[row].caption, []).append(row)
    wanted = [task.prompt for task in tasks for _ in range(each)]
    return [free[prompt].pop() for prompt in wanted if free.get(prompt)]
