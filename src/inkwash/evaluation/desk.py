"""Photographs laid out beside what a classifier saw in them, for painted pictures to be compared with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from inkwash.evaluation.adherence import Adherence, adherence
from inkwash.evaluation.memorisation import Neighbours, flipped, neighbours, small
from inkwash.evaluation.pictures import Pictures
from inkwash.evaluation.prompts import NAMED
from inkwash.evaluation.reals import Photos, breeds, held_out, metadata, training
from inkwash.evaluation.views import Eyes, Told, Views, look, remembered, silent


@dataclass(frozen=True)
class Seen:
    """Pictures, and what was seen in them and in their mirror images."""

    pictures: Pictures
    views: Views
    mirrored: Views


@dataclass(frozen=True)
class Desk:
    """Photographs for training and those held out; `breeds` maps each breed with enough of them to its caption."""

    breeds: Mapping[str, str]
    known: Photos
    known_views: Views
    held: Photos
    held_seen: Seen
    eyes: Eyes
    told: Told

    def look(self, pictures: Pictures) -> Views:
        """Views of new pictures."""
        return look(self.eyes, pictures, self.told)

    def look_twice(self, pictures: Pictures) -> Seen:
        """New pictures with their views, mirrored too."""
        return Seen(pictures, self.look(pictures), self.look(flipped(pictures)))

    def obedience(self, photos: Photos, views: Views, rows: Sequence[int] | None = None) -> Adherence:
        """How photographs obey their own captions: all of them, or `rows` and all of the named breeds."""
        chosen = list(rows) if rows is not None else list(range(len(photos)))
        about = [photos.about[row] for row in chosen]
        named = photos.rows(lambda about: about.breed in NAMED)
        return adherence(
            views[chosen],
            [one.species for one in about],
            [one.breed if one.breed in self.breeds else "" for one in about],
            views[named],
            [photos.about[row].breed for row in named],
        )

    def nearest(self, seen: Seen) -> tuple[Neighbours, Neighbours]:
        """Among the photographs for training: by pixels, and by features."""
        by_pixels = neighbours(small(seen.pictures), small(flipped(seen.pictures)), small(self.known.pictures))
        return by_pixels, neighbours(seen.views.features, seen.mirrored.features, self.known_views.features)


def laid_out(data: Path, folder: Path, eyes: Eyes, told: Told = silent) -> Desk:
    """Read the photographs in `data`; what is seen in them is remembered in `folder`.

    Raises DataError if the photographs cannot be read, OutputError if the folder cannot be written.
    """
    known, held = training(data), held_out(data)
    return Desk(
        breeds(metadata(data)),
        known,
        remembered(eyes, known.pictures, folder, told),
        held,
        Seen(
            held.pictures,
            remembered(eyes, held.pictures, folder, told),
            remembered(eyes, flipped(held.pictures), folder, told),
        ),
        eyes,
        told,
    )
