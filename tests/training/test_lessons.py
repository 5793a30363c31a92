"""Batches that follow from the place in the run."""

from collections import Counter
from dataclasses import replace
from itertools import islice

import pytest
import torch

from inkwash.training.cache import Shelf
from inkwash.training.config import TrainConfig
from inkwash.training.dice import dice, picture_at
from inkwash.training.lessons import batch_at, batches, draw, picker, shares
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
    batch = batch_at(shelf, lambda place: 5, config, range(4))
    torch.testing.assert_close(batch.clean, shelf.mean[[5] * 4, 0].float(), atol=1e-5, rtol=0)


def test_without_balance_every_picture_is_seen_once_in_the_old_order(shelf: Shelf, config: TrainConfig) -> None:
    pick = picker(shelf, LEARN, config)
    seen = [pick(place) for place in range(3 * len(LEARN))]
    assert seen == [LEARN[picture_at(config.seed, place, len(LEARN))] for place in range(3 * len(LEARN))]


@pytest.mark.parametrize("balance", [0.5, 1.0])
def test_balance_favours_captions_that_are_rare(shelf: Shelf, config: TrainConfig, balance: float) -> None:
    captions = torch.tensor([1, 1, 1, 1, 2])  # four pictures of one kind, one of another
    words = replace(shelf.words, captions=captions, starts=torch.arange(6))
    uneven = replace(shelf, words=words)
    rare = 1 / (1 + 4 ** (1 - balance))
    found = shares(uneven, range(5), balance)
    assert found.sum() == pytest.approx(1)
    assert found[4] == pytest.approx(rare)
    assert found[:4] == pytest.approx([(1 - rare) / 4] * 4)
    pick = picker(uneven, range(5), replace(config, balance=balance))
    often = Counter(pick(place) for place in range(3000))
    for picture in range(5):
        assert often[picture] == pytest.approx(3000 * found[picture], abs=60)
