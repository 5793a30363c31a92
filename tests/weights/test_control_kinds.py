import pytest

from inkwash.errors import InvalidRequest
from inkwash.weights.control_kinds import checked_kind, kind_of, taken


@pytest.mark.parametrize(
    ("said", "preprocessor", "number"),
    [
        ("depth", "none", 1), ("Canny", "none", 3), ("mlsd", "canny", 3), ("2", "canny", 2), ("segment", "none", 5),
        (None, "canny", 3), (None, "lineart", 3), (None, "softedge", 2), (None, "scribble", 2), (None, "depth", 1),
    ],
)  # fmt: skip
def test_a_kind_by_name_by_number_or_by_its_preprocessor(said: str | None, preprocessor: str, number: int) -> None:
    assert kind_of(said, preprocessor, 6) == number


def test_promax_knows_two_more() -> None:
    assert [kind_of(name, "none", 8) for name in ("tile", "repaint", "inpaint", "7")] == [6, 7, 7, 7]
    assert kind_of(None, "blur", 8) == 6
    assert taken(9).endswith(", 6 tile, 7 repaint/inpaint/outpaint, 8")
    assert taken(10**12).endswith(", 98, 99")


@pytest.mark.parametrize(
    ("said", "preprocessor", "line"),
    [
        (
            "tile",
            "none",
            "control.type is 'tile', but must be what this network takes: 0 openpose/pose/dwpose, 1 depth",
        ),
        ("6", "none", "control.type is '6', but must be what this network takes: 0 openpose"),
        (None, "tile", "control.type is 'tile', but must be what this network takes: 0 openpose"),
        (None, "grey", "control.type is None, but must be given, as preprocessor grey does not tell it: 0 openpose"),
    ],
)
def test_what_a_network_does_not_take_is_refused_with_what_it_takes(
    said: str | None, preprocessor: str, line: str
) -> None:
    with pytest.raises(InvalidRequest) as error:
        kind_of(said, preprocessor, 6)
    assert str(error.value).startswith(line)
    assert str(error.value).endswith("4 normal, 5 segment/segmentation")


@pytest.mark.parametrize("said", ["dog", "", "-1", "1.5", "100", "²"])
def test_what_is_no_kind_at_all(said: str) -> None:
    with pytest.raises(InvalidRequest, match=r"one of 0 openpose.*7 repaint/inpaint/outpaint, by name or number"):
        checked_kind("control.type", said)
    for fine in ("OpenPose", "99", "anime_lineart"):
        checked_kind("control.type", fine)
