import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from inkwash.errors import DataError, InvalidRequest, OutputError
from inkwash.evaluation.card import TEMPLATE, card
from inkwash.evaluation.desk import Desk
from inkwash.evaluation.pets import Report, Sizes, evaluate
from inkwash.evaluation.prompts import Painter
from inkwash.evaluation.result import bars, read_json, write_json
from inkwash.evaluation.sheets import save_sheets
from inkwash.evaluation.subject import Subject
from inkwash.evaluation.table import table
from inkwash.latent.pixelspace import PixelSpace

SIZES = Sizes(40, 4, 2)


def report_of(paint: Painter, desk: Desk) -> Report:
    return evaluate(Subject("pets", "by hand", paint, PixelSpace()), desk, SIZES)


@pytest.fixture(scope="module")
def honest(artist: Painter, desk: Desk) -> Report:
    return report_of(artist, desk)


def test_photographs_obey_their_captions(honest: Report) -> None:
    for hand in ("photographs", "held_out", "rebuilt"):
        one = honest.evaluation.adherence[hand]
        assert (one.cats, one.dogs, one.breeds.top1, one.named.top5) == (1, 1, 1, 1)


def test_a_painter_of_the_right_colours_meets_every_bar(honest: Report) -> None:
    assert [bar.name for bar in bars(honest.evaluation) if not bar.met] == []
    assert honest.evaluation.adherence["painted"].by_breed["beagle"].pictures == 4
    assert honest.evaluation.memorisation["painted"].pixels.rate == 0


def test_a_thief_is_as_close_as_photographs_and_is_caught(thief: Painter, desk: Desk) -> None:
    found = report_of(thief, desk).evaluation
    assert found.memorisation["painted"].pixels.rate == 1
    assert found.memorisation["painted"].features.rate == 1
    assert {bar.name for bar in bars(found) if not bar.met} == {
        "copies of the training, by pixels",
        "copies of the training, by features",
    }


def test_pixel_space_rebuilds_the_photographs_themselves(honest: Report) -> None:
    found = honest.evaluation
    assert found.closeness["rebuilt"] == found.closeness["photographs"]
    assert found.closeness["painted"].reference == 80
    assert found.reconstruction["all"].psnr == 100


def test_a_painter_of_one_colour_fails(desk: Desk) -> None:
    def grey(prompts: list[str], seeds: list[int]) -> torch.Tensor:
        return torch.full((len(prompts), 3, 16, 16), 200, dtype=torch.uint8)

    found = report_of(grey, desk).evaluation
    painted, photographs = found.closeness["painted"], found.closeness["photographs"]
    assert painted.kernel > 10 * photographs.kernel
    assert painted.frechet > 10 * photographs.frechet
    assert painted.recall == 0
    assert found.adherence["painted"].cats == 0


def test_the_same_work_gives_the_same_numbers(honest: Report, artist: Painter, desk: Desk) -> None:
    again = replace(report_of(artist, desk).evaluation, seconds_per_picture=0.0)
    assert again == replace(honest.evaluation, seconds_per_picture=0.0)


def test_json_survives_the_way_to_the_disk(honest: Report, tmp_path: Path) -> None:
    write_json(honest.evaluation, tmp_path / "pets.json")
    assert read_json(tmp_path / "pets.json") == honest.evaluation
    assert all(bar["met"] for bar in json.loads((tmp_path / "pets.json").read_text())["bars"])
    with pytest.raises(OutputError):
        write_json(honest.evaluation, tmp_path / "pets.json")
    (tmp_path / "other.json").write_text('{"evaluation": {"model": 3}}')
    with pytest.raises(DataError, match=r"other\.json is not an evaluation"):
        read_json(tmp_path / "other.json")


def test_the_table_and_the_card_tell_the_same_numbers(honest: Report) -> None:
    text = table(honest.evaluation)
    written = card(honest.evaluation, "parts", "Two hours.", TEMPLATE.read_text("utf-8"))
    for words in ("cat prompts that show a cat", "100.0 %", "held-out, features", "Two hours."):
        assert words in written
    assert "100.0 %" in text
    assert "$" not in written
    for title in ("bars", "obedience", "distance to photographs", "nearest photograph of the training"):
        assert f"\n{title}\n" in text


def test_sheets_are_written(honest: Report, tmp_path: Path) -> None:
    paths = save_sheets(honest.sheets, tmp_path / "new")
    assert [path.name for path in paths] == ["pets.png", "breeds.png", "coats.png", "rebuilt.png", "neighbours.png"]
    assert all(path.stat().st_size > 1000 for path in paths)
    assert save_sheets(honest.sheets, tmp_path / "new", ".webp")[0].suffix == ".webp"


def test_everything_shrinks_with_the_pictures() -> None:
    assert Sizes.of(1000) == Sizes()
    assert Sizes.of(80) == Sizes(80, 2, 2)
    with pytest.raises(InvalidRequest, match="pictures is 12"):
        Sizes.of(12)
