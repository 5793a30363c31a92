from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from inkwash.errors import InvalidRequest
from inkwash.predictor.spec import PETS, SD15, SDXL, TINY, UNetSpec
from inkwash.weights.plain import built, plain


@dataclass(frozen=True)
class Leaf:
    width: int
    share: float = 0.5


@dataclass(frozen=True)
class Tree:
    leaves: tuple[Leaf, ...]
    kind: Literal["oak", "fir"] = "oak"
    name: str | None = None
    place: Path | None = None
    ends: tuple[float, float] = (0.0, 1.0)
    marks: Mapping[str, str] | None = None
    old: bool = False


WHOLE = Tree((Leaf(1), Leaf(2, 0.25)), "fir", "a", Path("x/y"), (0.5, 2.0), {"k": "v"}, True)


def test_nested_dataclasses_go_to_json_and_back() -> None:
    assert built(Tree, plain(WHOLE)) == WHOLE


@pytest.mark.parametrize("spec", [TINY, PETS, SD15, SDXL])
def test_network_tables_go_to_json_and_back(spec: UNetSpec) -> None:
    assert built(UNetSpec, plain(spec)) == spec


def test_what_is_left_out_takes_its_default() -> None:
    assert built(Tree, {"leaves": []}) == Tree(())


def test_whole_numbers_serve_as_real_ones_but_not_the_other_way() -> None:
    assert built(Leaf, {"width": 1, "share": 1}) == Leaf(1, 1.0)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "leaves is None, but must be given"),
        (
            {"leaves": [], "knd": "oak"},
            "knd is 'oak', but must be left out: there is no such field, did you mean kind?",
        ),
        ({"leaves": [], "zzz": 1}, "zzz is 1, but must be left out: there is no such field"),
        ({"leaves": [{"width": 1.0}]}, "leaves[0].width is 1.0, but must be a whole number"),
        ({"leaves": [{"width": True}]}, "leaves[0].width is True, but must be a whole number"),
        ({"leaves": [{"width": 1, "share": float("nan")}]}, "leaves[0].share is nan, but must be a finite number"),
        ({"leaves": [{"width": 1, "share": "1"}]}, "leaves[0].share is '1', but must be a finite number"),
        ({"leaves": {}}, "leaves is {}, but must be a list"),
        ({"leaves": [3]}, "leaves[0] is 3, but must be an object"),
        ({"leaves": [], "kind": "ash"}, "kind is 'ash', but must be one of oak, fir"),
        ({"leaves": [], "ends": [1.0]}, "ends is [1.0], but must be a list of 2"),
        ({"leaves": [], "old": 1}, "old is 1, but must be true or false"),
        ({"leaves": [], "marks": {"k": 1}}, "marks.k is 1, but must be a text"),
        ({"leaves": [], "place": 1}, "place is 1, but must be a path"),
        ([], "Tree is [], but must be an object"),
    ],
)
def test_what_does_not_fit_is_named(value: object, message: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        built(Tree, value)
    assert str(raised.value) == message
