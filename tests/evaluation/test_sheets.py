from pathlib import Path

import torch
from PIL import Image

from inkwash.evaluation.memorisation import Neighbours
from inkwash.evaluation.pets import Report
from inkwash.evaluation.prompts import Task
from inkwash.evaluation.sheets import neighbour_sheet, painted_sheet, rebuilt_sheet, save_sheets


def plain(count: int, value: int) -> torch.Tensor:
    return torch.full((count, 3, 16, 16), value, dtype=torch.uint8)


def test_originals_stand_above_their_reconstructions() -> None:
    paper = rebuilt_sheet(plain(8, 10), plain(8, 240))
    column = [paper.getpixel((12, y)) for y in range(paper.height)]
    assert column.index((10, 10, 10)) < column.index((240, 240, 240))


def test_every_prompt_has_its_row() -> None:
    tasks = [Task(f"a photo of a {name} cat", seed, "cat") for name in ("black", "white") for seed in range(3)]
    pictures = torch.cat([plain(3, 10), plain(3, 240)])
    paper = painted_sheet(pictures, tasks, "coats")
    row = [paper.getpixel((x, paper.height - 40)) for x in range(paper.width)]
    assert (10, 10, 10) not in row
    assert row.count((240, 240, 240)) == 3 * 16


def test_the_closest_pairs_come_first() -> None:
    first = torch.tensor([0.5, 0.1, 0.9])
    found = Neighbours(first, torch.ones(3), torch.tensor([0, 1, 2]))
    paper = neighbour_sheet(torch.cat([plain(1, 10), plain(1, 80), plain(1, 200)]), plain(3, 120), found, found, 2)
    shown = set(paper.getdata()) if not hasattr(paper, "get_flattened_data") else set(paper.get_flattened_data())
    assert (80, 80, 80) in shown
    assert (120, 120, 120) in shown
    assert (200, 200, 200) not in shown


def test_sheets_are_written_over_older_ones(honest: Report, tmp_path: Path) -> None:
    for _ in range(2):
        paths = save_sheets(honest.sheets, tmp_path / "new")
    assert [path.name for path in paths] == ["pets.png", "breeds.png", "coats.png", "rebuilt.png", "neighbours.png"]
    with Image.open(paths[0]) as first:
        assert first.size == honest.sheets["pets"].size
    assert save_sheets(honest.sheets, tmp_path / "new", ".webp")[0].suffix == ".webp"
