"""Sheets for people: what was painted, which photographs are nearest, what the autoencoder does.  Nothing is chosen."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image

from inkwash.evaluation.memorisation import Neighbours
from inkwash.evaluation.pictures import Pictures, images
from inkwash.evaluation.prompts import Task
from inkwash.files import atomic, told
from inkwash.show.canvas import beside, sheet

COLUMNS = 8


def painted_sheet(pictures: Pictures, tasks: Sequence[Task], title: str) -> Image.Image:
    """A row for every prompt, with the first pictures painted for it; the prompt stands under the first of the row."""
    rows = {task.prompt: [n for n, other in enumerate(tasks) if other.prompt == task.prompt] for task in tasks}
    wide = min(COLUMNS, *(len(places) for places in rows.values()))
    cells = [place for places in rows.values() for place in places[:wide]]
    labels = [
        word
        for prompt in rows
        for word in (prompt.removeprefix("a photo of a ").removesuffix(" dog"), *[""] * (wide - 1))
    ]
    return sheet(images(pictures[cells]), wide, labels, title=title, gap=6)


def mixed_sheet(pictures: Pictures, title: str) -> Image.Image:
    """Pictures without words."""
    return sheet(images(pictures), COLUMNS, title=title, gap=4)


def rebuilt_sheet(before: Pictures, after: Pictures) -> Image.Image:
    """Photographs, and below each row its reconstructions."""
    rows: list[Image.Image] = []
    for start in range(0, len(before), COLUMNS):
        rows += images(before[start : start + COLUMNS]) + images(after[start : start + COLUMNS])
    return sheet(rows, COLUMNS, title="held-out photographs, and below them what the autoencoder keeps", gap=4)


def neighbour_sheet(
    painted: Pictures, known: Pictures, by_pixels: Neighbours, by_features: Neighbours, pairs: int = 20
) -> Image.Image:
    """The closest pairs: painted on the left, its nearest photograph on the right; half by pixels, half by features."""
    cells, labels = [], []
    for name, found in (("pixels", by_pixels), ("features", by_features)):
        for row in found.first.argsort()[: pairs // 2].tolist():
            nearest = int(found.nearest[row])
            cells.append(beside(images(painted[[row]]) + images(known[[nearest]]), gap=2))
            labels.append(f"{name}: d1 {found.first[row]:.3f}, d1/d2 {found.first[row] / found.second[row]:.2f}")
    return sheet(cells, 4, labels, title="painted, and the nearest photograph of the training (mirrored or not)", gap=8)


def save_sheets(sheets: Mapping[str, Image.Image], folder: Path, suffix: str = ".png") -> list[Path]:
    """Write every sheet under its name, over an older one, and return the paths.  Raises OutputError."""
    with told(folder):
        folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}{suffix}" for name in sheets]
    for path, picture in zip(paths, sheets.values(), strict=True):
        with atomic(path, overwrite=True) as part:
            picture.save(part, quality=88) if suffix != ".png" else picture.save(part)
    return paths
