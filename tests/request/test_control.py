from pathlib import Path
from typing import Any

import pytest

from inkwash.errors import InvalidRequest
from inkwash.request.control import KNOBS, Control, filled

BOTH: dict[str, Any] = {"model": Path("net"), "image": Path("a.png")}


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"weight": 11.0}, "control.weight is 11.0, but must be a number from 0 to 10"),
        ({"begin": 0.5, "end": 0.25}, "control.end is 0.25, but must be a number from 0.5 to 1"),
        ({"weight": float("nan")}, "control.weight is nan, but must be a number from 0 to 10"),
        (
            {"preprocessor": "canny", "threshold_a": 0.0},
            "control.threshold_a is 0.0, but must be a number from 1 to 2040",
        ),
        ({"preprocessor": "grid", "threshold_b": 3.0}, "control.threshold_b is 3.0, but must be left out: grid has no"),
        ({"threshold_a": 3.0}, "control.threshold_a is 3.0, but must be left out: none has no such number"),
        ({"type": "dog"}, "control.type is 'dog', but must be one of 0 openpose/pose/dwpose, 1 depth, 2 hed"),
    ],
)
def test_what_cannot_be_meant_is_told_in_a_line(more: dict[str, Any], line: str) -> None:
    with pytest.raises(InvalidRequest) as error:
        Control(**BOTH, **more)
    assert str(error.value).startswith(line)


def test_numbers_that_were_left_out_become_the_usual_ones() -> None:
    control = filled(Control(**BOTH, preprocessor="canny", threshold_b=150.0))
    assert (control.threshold_a, control.threshold_b) == (100.0, 150.0)
    assert filled(control) == control
    assert filled(Control(**BOTH)) == Control(**BOTH)
    assert all(knob.least <= knob.usual <= knob.most for knobs in KNOBS.values() for knob in knobs)
