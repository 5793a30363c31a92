"""What a sheet says: names and values as the web UI's X/Y/Z plot reads them."""

import csv
from io import StringIO

import pytest

from inkwash.metadata.script import script, side_of
from inkwash.request.axes import axis_of


@pytest.mark.parametrize(
    ("axis", "kind", "values"),
    [
        ("steps=10-30 (+10)", "Steps", "10, 20, 30"),
        ("guidance=1, 2.5", "CFG Scale", "1, 2.5"),
        ("sampler=euler_ancestral, dpmpp_2m", "Sampler", "Euler a, DPM++ 2M"),
        ("spacing=sgm_uniform", "Schedule type", "SGM Uniform"),
        ("hires.strength=0.3, 0.7", "Denoising", "0.3, 0.7"),
        ("rules.rescale=0, 0.7", "rules.rescale", "0, 0.7"),
    ],
)
def test_sides_have_the_names_of_the_web_ui(axis: str, kind: str, values: str) -> None:
    assert script([side_of(axis_of(axis))]) == {"Script": "X/Y/Z plot", "X Type": kind, "X Values": values}


def test_words_with_commas_are_one_value() -> None:
    found = script([side_of(axis_of('replace=cat, "cat, asleep"'))])["X Values"]
    assert next(csv.reader(StringIO(found), skipinitialspace=True)) == ["cat", "cat, asleep"]
