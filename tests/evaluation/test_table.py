from inkwash.evaluation.pets import Report
from inkwash.evaluation.table import aligned, markdown, percent, table

ROWS = [("", "left", "right"), ("one", "1", "22"), ("three", "333", "4")]


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert aligned(ROWS).splitlines() == [
        "       left  right",
        "one       1     22",
        "three   333      4",
    ]


def test_markdown_has_the_same_cells() -> None:
    assert markdown(ROWS).splitlines()[1:] == ["| --- | ---: | ---: |", "| one | 1 | 22 |", "| three | 333 | 4 |"]


def test_shares_are_per_cent_and_nothing_is_a_dash() -> None:
    assert percent(0.98765) == "98.8 %"
    assert percent(0.00123, 2) == "0.12 %"
    assert percent(None) == "-"


def test_every_part_has_its_title(honest: Report) -> None:
    text = table(honest.evaluation)
    assert text.startswith("pets: 40 pictures, by hand, ")
    for title in ("bars", "obedience", "distance to photographs", "nearest photograph of the training"):
        assert f"\n{title}\n" in text
    line = next(line for line in text.splitlines() if line.startswith("cat prompts that show a cat"))
    assert line.split()[-6:] == ["100.0", "%", "≥", "99", "%", "yes"]
    assert max(len(line) for line in text.splitlines()) <= 120
