from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch

from inkwash.errors import InvalidRequest
from inkwash.evaluation.desk import Desk
from inkwash.evaluation.pets import Report, Sizes, evaluate
from inkwash.evaluation.prompts import Painter
from inkwash.evaluation.result import Evaluation, bars
from inkwash.evaluation.subject import Subject
from inkwash.latent.pixelspace import PixelSpace


def measured(paint: Painter, desk: Desk) -> Evaluation:
    return evaluate(Subject("pets", "by hand", paint, PixelSpace()), desk, Sizes(40, 4, 2)).evaluation


def test_photographs_obey_their_captions(honest: Report) -> None:
    for hand in ("photographs", "held_out", "rebuilt"):
        one = honest.evaluation.adherence[hand]
        assert (one.cats, one.dogs, one.breeds.top1, one.named.top5) == (1, 1, 1, 1)


def test_a_painter_of_the_right_colours_meets_every_bar(honest: Report) -> None:
    assert [bar.name for bar in bars(honest.evaluation) if not bar.met] == []
    assert honest.evaluation.adherence["painted"].by_breed["beagle"].pictures == 4
    assert honest.evaluation.memorisation["painted"].pixels.rate == 0


def test_a_thief_is_as_close_as_photographs_and_is_caught(thief: Painter, desk: Desk) -> None:
    found = measured(thief, desk)
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
    def grey(prompts: Sequence[str], seeds: Sequence[int]) -> torch.Tensor:
        return torch.full((len(prompts), 3, 16, 16), 200, dtype=torch.uint8)

    found = measured(grey, desk)
    painted, photographs = found.closeness["painted"], found.closeness["photographs"]
    assert painted.kernel > 10 * photographs.kernel
    assert painted.frechet > 10 * photographs.frechet
    assert painted.recall == 0
    assert found.adherence["painted"].cats == 0


def test_the_same_work_gives_the_same_numbers(honest: Report, artist: Painter, desk: Desk) -> None:
    again = replace(measured(artist, desk), seconds_per_picture=0.0)
    assert again == replace(honest.evaluation, seconds_per_picture=0.0)


def test_everything_shrinks_with_the_pictures() -> None:
    assert Sizes.of(1000) == Sizes()
    assert Sizes.of(80) == Sizes(80, 2, 2)
    with pytest.raises(InvalidRequest, match="pictures is 12"):
        Sizes.of(12)
