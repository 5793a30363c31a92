import pytest

from inkwash.errors import InvalidRequest
from inkwash.text.matrix import matrix


def test_every_combination_comes_once_in_order() -> None:
    assert matrix("a cat | asleep|in ink ") == ("a cat", "a cat, asleep", "a cat, in ink", "a cat, asleep, in ink")


@pytest.mark.parametrize("text", ["a cat", "[a|b] c", r"a \| b", "([a|b]|c)", ""])
def test_bars_inside_brackets_and_plain_ones_offer_nothing(text: str) -> None:
    assert matrix(text) == (text,)


def test_a_bar_after_brackets_does() -> None:
    assert matrix("[a|b] c|d") == ("[a|b] c", "[a|b] c, d")


def test_too_many_parts_are_refused() -> None:
    assert len(matrix("a" + "|b" * 10)) == 1024
    with pytest.raises(InvalidRequest, match="at most 10 optional parts"):
        matrix("a" + "|b" * 11)
