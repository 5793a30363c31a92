import pytest

from inkwash.errors import InvalidRequest
from inkwash.predictor.canvas import PLAIN, Canvas


def test_heights_come_before_widths() -> None:
    found = Canvas((1024, 960), (832, 1216), (16, 8)).numbers(6, 2)
    assert found.tolist() == [[832, 1216, 16, 8, 1024, 960]] * 2


def test_an_uncut_picture_was_always_as_large_as_it_is() -> None:
    assert Canvas((96, 64)).numbers(6).tolist() == [[96, 64, 0, 0, 96, 64]]


def test_refiners_hear_how_pleasing_it_is_instead_of_the_target() -> None:
    assert Canvas((96, 64)).numbers(5).tolist() == [[96, 64, 0, 0, 6]]
    assert Canvas((96, 64), aesthetic=PLAIN).numbers(5).tolist() == [[96, 64, 0, 0, 2.5]]


def test_other_counts_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="is 4, but must be 6, or 5 for a refiner"):
        Canvas((8, 8)).numbers(4)
