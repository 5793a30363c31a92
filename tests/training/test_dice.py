"""Chance that follows from the place in the run."""

import numpy as np
import pytest
import torch
from scipy import stats

from inkwash.training.dice import choice_at, dice, even, normal, order, picture_at


def test_a_place_is_reached_at_once_and_always_says_the_same() -> None:
    first = normal([dice(3, place) for place in range(4)], (2, 5))
    again = normal([dice(3, 2)], (2, 5))
    assert torch.equal(first[2:3], again)
    assert not torch.equal(first[0], first[1])
    assert not torch.equal(normal([dice(4, 2)], (2, 5)), again)


def test_every_epoch_shows_every_picture_once_in_an_order_of_its_own() -> None:
    epochs = [[picture_at(7, epoch * 13 + place, 13) for place in range(13)] for epoch in range(3)]
    assert all(sorted(epoch) == list(range(13)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]
    assert epochs[1] == order(7, 1, 13).tolist()


def test_in_an_epoch_shares_are_kept_to_within_one() -> None:
    reach = np.array([0.5, 0.75, 0.99, 1.0])
    for epoch in range(5):
        seen = [choice_at(7, place, reach) for place in range(4 * epoch, 4 * epoch + 4)]
        assert seen.count(0) == 2
        assert seen.count(1) == 1
        assert seen.count(2) + seen.count(3) == 1


def test_neighbouring_places_fill_the_unit_interval_evenly() -> None:
    levels = np.sort([even(0, place) for place in range(1000, 1064)])
    assert np.diff(levels).max() < 2.7 / 64  # chance would leave gaps of about 4.7 / 64
    assert levels.min() >= 0
    assert levels.max() < 1


def test_noise_is_unit_gaussian_across_places() -> None:
    drawn = normal([dice(0, place) for place in range(500)], (8,)).flatten().numpy()
    assert stats.kstest(drawn, "norm").pvalue > 0.01
    assert drawn.std() == pytest.approx(1, abs=0.05)
