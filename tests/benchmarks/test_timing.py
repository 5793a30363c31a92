import pytest

from benchmarks.timing import Times, alternated


def test_everybody_warms_up_once_and_then_has_a_turn_per_round() -> None:
    order: list[str] = []
    times = alternated({name: lambda name=name: order.append(name) for name in "abc"}, rounds=3)
    assert "".join(order) == "abc" + "abc" + "bca" + "cab"
    assert all(len(each.turns) == 3 for each in times.values())


def test_the_ratio_is_the_median_of_the_ratios_of_every_round() -> None:
    ours, theirs = Times((1.0, 2.0, 9.0)), Times((2.0, 6.0, 9.0))
    assert ours.faster_than(theirs) == pytest.approx(2.0)
    assert ours.seconds == 2.0
    assert ours.spread == "1–9"
