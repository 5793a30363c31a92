"""The whole measurement of a model of cats and dogs: paint, look, compare."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image

from inkwash.errors import InvalidRequest
from inkwash.evaluation.adherence import Adherence, adherence
from inkwash.evaluation.desk import Desk, laid_out
from inkwash.evaluation.distances import Closeness, closeness
from inkwash.evaluation.memorisation import Neighbours, copies
from inkwash.evaluation.pictures import Pictures
from inkwash.evaluation.prompts import Task, coat_tasks, named_tasks, painted, partners, species_tasks
from inkwash.evaluation.reconstruction import compared, reconstructed
from inkwash.evaluation.result import Evaluation, Memorisation
from inkwash.evaluation.sheets import mixed_sheet, neighbour_sheet, painted_sheet, rebuilt_sheet
from inkwash.evaluation.subject import Subject
from inkwash.evaluation.views import Eyes, Told, Views, silent

REFERENCE = 2
"""Photographs of the reference for each painted picture, with its caption."""


@dataclass(frozen=True)
class Sizes:
    """How many pictures: cats and dogs together, of each named breed, of each coat."""

    pictures: int = 1000
    per_breed: int = 25
    per_coat: int = 8

    @classmethod
    def of(cls, pictures: int) -> "Sizes":
        """Everything in proportion.  Raises InvalidRequest below 40."""
        if pictures < 40:
            raise InvalidRequest("pictures", pictures, "40 or more")
        return cls(pictures, pictures // 40, min(8, pictures // 40))


@dataclass(frozen=True)
class Work:
    """Tasks, and the pictures painted for them."""

    tasks: Sequence[Task]
    pictures: Pictures


@dataclass(frozen=True)
class Works:
    """Cats and dogs of all breeds, the named breeds, the coats; and the seconds that a picture took."""

    kinds: Work
    named: Work
    coats: Work
    seconds: float


@dataclass(frozen=True)
class Report:
    """The numbers, and sheets to look at by name."""

    evaluation: Evaluation
    sheets: Mapping[str, Image.Image]


def evaluate(subject: Subject, desk: Desk, sizes: Sizes) -> Report:
    """Paint with fixed seeds and measure against the photographs on the desk."""
    works = all_painted(subject, desk.breeds, sizes, desk.told)
    seen = desk.look_twice(works.kinds.pictures)
    rebuilt = reconstructed(subject.autoencoder, desk.held.pictures, desk.told)
    rebuilt_views = desk.look(rebuilt)
    same, near = partners(desk.known, works.kinds.tasks), desk.nearest(seen)
    evaluation = Evaluation(
        model=subject.name,
        settings=subject.settings,
        classifier=desk.eyes.name,
        pictures=len(seen.pictures),
        breeds=len(desk.breeds),
        seconds_per_picture=works.seconds,
        adherence={
            "painted": obedience(works, seen.views, desk.look(works.named.pictures)),
            "photographs": desk.obedience(desk.known, desk.known_views, same),
            "held_out": desk.obedience(desk.held, desk.held_seen.views),
            "rebuilt": desk.obedience(desk.held, rebuilt_views),
        },
        closeness=distances(subject, desk, works.kinds.tasks, same, seen.views),
        reconstruction=compared(desk.held, rebuilt, desk.held_seen.views, rebuilt_views),
        memorisation={"painted": memorised(*near), "held_out": memorised(*desk.nearest(desk.held_seen))},
    )
    return Report(evaluation, sheets(works, desk, rebuilt, near))


def evaluate_pets(subject: Subject, data: Path, folder: Path, sizes: Sizes, told: Told = silent) -> Report:
    """`evaluate` on the photographs in `data`, seen by EfficientNet-Lite2 and remembered in `folder`.

    Raises DataError if the photographs cannot be read or the classifier is not installed, OutputError if the folder
    cannot be written.
    """
    return evaluate(subject, laid_out(data, folder, Eyes.lite2(), told), sizes)


def all_painted(subject: Subject, breeds: Mapping[str, str], sizes: Sizes, told: Told = silent) -> Works:
    """Every task of the measurement, done; seeds count from 0 over all of them."""
    kinds = species_tasks(breeds, sizes.pictures)
    named = named_tasks(breeds, sizes.per_breed, len(kinds))
    coats = coat_tasks(sizes.per_coat, len(kinds) + len(named))
    begun = time.monotonic()
    pictures = painted(subject.paint, [*kinds, *named, *coats], told)
    seconds = (time.monotonic() - begun) / len(pictures)
    first, second = len(kinds), len(kinds) + len(named)
    return Works(
        Work(kinds, pictures[:first]), Work(named, pictures[first:second]), Work(coats, pictures[second:]), seconds
    )


def obedience(works: Works, kinds: Views, named: Views) -> Adherence:
    """How painted pictures obey their prompts."""
    species = [task.species for task in works.kinds.tasks]
    breeds = [task.breed for task in works.kinds.tasks]
    return adherence(kinds, species, breeds, named, [task.breed for task in works.named.tasks])


def distances(
    subject: Subject, desk: Desk, tasks: Sequence[Task], same: Sequence[int], seen: Views
) -> Mapping[str, Closeness]:
    """Painted pictures, photographs with the same captions, and those rebuilt, each against other photographs."""
    reference = desk.known_views.features[partners(desk.known, tasks, REFERENCE, same)]
    rebuilt = desk.look(reconstructed(subject.autoencoder, desk.known.pictures[list(same)], desk.told))
    hands = {"painted": seen, "photographs": desk.known_views[list(same)], "rebuilt": rebuilt}
    return {hand: closeness(views.features, reference) for hand, views in hands.items()}


def memorised(by_pixels: Neighbours, by_features: Neighbours) -> Memorisation:
    """The summary of both searches."""
    return Memorisation(copies(by_pixels), copies(by_features))


def sheets(
    works: Works, desk: Desk, rebuilt: Pictures, near: tuple[Neighbours, Neighbours]
) -> Mapping[str, Image.Image]:
    """What a person should look at."""
    kinds = works.kinds.pictures
    half = len(kinds) // 2
    some = torch.cat([kinds[: min(half, 32)], kinds[half : half + 32]])
    return {
        "pets": mixed_sheet(some, "a photo of a cat; a photo of a ... dog: the first seeds, not chosen"),
        "breeds": painted_sheet(works.named.pictures, works.named.tasks, "the named breeds, not chosen"),
        "coats": painted_sheet(works.coats.pictures, works.coats.tasks, "coats, not chosen"),
        "rebuilt": rebuilt_sheet(desk.held.pictures[:16], rebuilt[:16]),
        "neighbours": neighbour_sheet(kinds, desk.known.pictures, *near),
    }
