"""Batches that follow from the place in the run."""

from dataclasses import replace
from itertools import islice

import torch

from inkwash.training.cache import Shelf
from inkwash.training.config import TrainConfig
from inkwash.training.dice import dice
from inkwash.training.lessons import batch_at, batches, draw
from inkwash.training.workers import Team

LEARN = tuple(range(1, 24))


def test_workers_share_exactly_what_one_would_see(shelf: Shelf, config: TrainConfig) -> None:
    (whole,) = next(batches(shelf, LEARN, config, 16))
    shares = [next(batches(shelf, LEARN, replace(config, accumulate=2), 16, Team(rank, 2))) for rank in range(2)]
    parts = [part for share in shares for part in share]
    assert len(parts) == 4
    assert torch.equal(torch.cat([part.clean for part in parts]), whole.clean)
    assert torch.equal(torch.cat([part.level for part in parts]), whole.level)
    assert torch.equal(torch.cat([part.text.states for part in parts]), whole.text.states)


def test_a_resumed_run_sees_what_comes_next(shelf: Shelf, config: TrainConfig) -> None:
    third = list(islice(batches(shelf, LEARN, config, 0), 3))[2][0]
    again = next(batches(shelf, LEARN, config, 16))[0]
    assert torch.equal(third.clean, again.clean)
    assert len(list(batches(shelf, LEARN, config, 16))) == (config.images - 16) // config.batch


def test_captions_are_dropped_as_often_as_asked(shelf: Shelf, config: TrainConfig) -> None:
    drawn = [draw(shelf, 3, config, dice(0, place)) for place in range(2000)]
    assert abs(sum(one.text == 0 for one in drawn) / 2000 - 0.1) < 0.02
    assert abs(sum(one.side for one in drawn) / 2000 - 0.5) < 0.04
    assert {one.text for one in drawn} == {0, *shelf.words.choices(3).tolist()}


def test_a_batch_holds_the_pictures_it_names(shelf: Shelf, config: TrainConfig) -> None:
    batch = batch_at(shelf, [5], config, range(4))
    torch.testing.assert_close(batch.clean, shelf.mean[[5] * 4, 0].float(), atol=1e-5, rtol=0)
