from tools.gauges import comments, measures, percentile, report

SOURCE = """
class A:
    def method(self, x: int, y) -> int:  # why
        return x + y


def wide(*, a: int, b: int, c: int, **rest: int) -> None:
    # one
    # two
    pass
"""


def test_functions_are_measured_without_self() -> None:
    wide, method = sorted(measures(SOURCE), key=lambda measure: -measure.lines)
    assert (method.name, method.lines, method.parameters, method.typed, method.kwargs) == ("method", 2, 2, 1, False)
    assert (wide.name, wide.lines, wide.parameters, wide.typed, wide.kwargs) == ("wide", 4, 3, 3, True)


def test_comments_are_counted_but_strings_are_not() -> None:
    assert comments(SOURCE) == 3
    assert comments('text = "# no comment"\n') == 0


def test_percentiles_of_a_hundred_are_their_numbers() -> None:
    assert [percentile(list(range(1, 101)), part) for part in (0.5, 0.95, 1.0)] == [50, 95, 100]
    assert percentile([7], 0.95) == 7
    assert percentile([], 0.5) == 0


def test_the_report_sums_both_sides() -> None:
    rows = {gauge: value for gauge, value, _ in report([SOURCE], ["x = 1\n" * 20])}
    assert rows["tests ÷ source"] == "2.00"
    assert rows["typed parameters"] == "80.0%"
    assert rows["most parameters"] == "3 (wide)"
