from typing import Any

import pytest

from inkwash.errors import InvalidRequest
from inkwash.request.axes import axis_of, cells
from inkwash.request.generate import GenerateRequest

ASKED = GenerateRequest(prompt="a cat, asleep", negative_prompt="no cat", seed=3)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("steps=10, 20,30", (10, 20, 30)),
        ("steps=1-5", (1, 2, 3, 4, 5)),
        ("steps=1-5 (+2)", (1, 3, 5)),
        ("steps=10-5 (-3)", (10, 7)),
        ("steps=3-1", (3, 2, 1)),
        ("steps=1-10 [5]", (1, 3, 5, 7, 10)),
        ("seed=-1", (-1,)),
        ("guidance=1-2 (+0.25)", (1.0, 1.25, 1.5, 1.75, 2.0)),
        ("guidance=0-1 [3], 7", (0.0, 0.5, 1.0, 7.0)),
        ("hires.strength=0.3-0.7 [3]", (0.3, 0.5, 0.7)),
        ("sampler=euler, heun", ("euler", "heun")),
        ("silence=true, false", (True, False)),
        ('prompt="a cat, asleep", a dog', ("a cat, asleep", "a dog")),
        ("image=a.png", ("a.png",)),
        ("clip-skip=1,2", (1, 2)),
    ],
)
def test_values_of_an_axis(text: str, values: tuple[Any, ...]) -> None:
    assert axis_of(text).values == values


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps", "axis is 'steps', but must be a field and its values"),
        ("stepz=1", "axis is 'stepz', but must be replace, or a field"),
        ("hires=1", "axis is 'hires', but must be replace, or a field"),
        ("hires.size=1", r"axis is 'hires.size', but must be"),
        ("steps=a", "steps is 'a', but must be numbers, or ranges"),
        ("steps=0", "steps is 0, but must be a whole number from 1"),
        ("strength=0.5", "strength is 0.5, but must be given together with an image"),
        ("steps=1-5 (-1)", "a range whose step leads to its end"),
        ("seed=1-100000", "must be at most 1000"),
        ("sampler=nope", "sampler is 'nope', but must be one of"),
        ("silence=maybe", "silence is 'maybe', but must be true or false"),
    ],
)
def test_axes_that_cannot_be_meant(text: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        list(cells(ASKED, (axis_of(text),)))


def test_cells_go_along_x_first() -> None:
    found = list(cells(ASKED, (axis_of("steps=1,2"), axis_of("replace=cat, dog"), axis_of("hires.scale=1.5,2"))))
    assert [(each.steps, each.prompt[:5], each.hires.scale) for each in found] == [
        (1, "a cat", 1.5),
        (2, "a cat", 1.5),
        (1, "a dog", 1.5),
        (2, "a dog", 1.5),
        (1, "a cat", 2.0),
        (2, "a cat", 2.0),
        (1, "a dog", 2.0),
        (2, "a dog", 2.0),
    ]
    assert found[2].negative_prompt == "no dog"


def test_words_to_replace_must_be_there() -> None:
    with pytest.raises(InvalidRequest, match="replace is 'owl', but must be words that are in the prompt"):
        list(cells(ASKED, (axis_of("replace=owl, cat"),)))


def test_labels_name_the_field_where_the_value_does_not_tell() -> None:
    assert axis_of("guidance=1,2.50").labels == ("guidance 1", "guidance 2.5")
    assert axis_of("replace=cat,dog").labels == ("cat", "dog")
