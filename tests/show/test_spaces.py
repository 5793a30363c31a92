"""The comparison of spaces: exact numbers where there are any, honest ones elsewhere."""

import pytest

from inkwash.errors import InvalidRequest
from inkwash.latent.spec import TINY as TINY_SPACE
from inkwash.predictor.spec import TINY
from inkwash.show import spaces
from inkwash.show.canvas import INDIGO, RUST
from inkwash.show.cost import Cost
from inkwash.show.spaces import Comparison, Room, compare
from inkwash.show.spaces_sheet import WIDTH, bars, footnote, lines, short, table

CLASSIC = Comparison(
    512,
    2,
    Room((3, 512, 512), Cost(9 * 10**12, 120.0, 3 * 10**9), None),
    Room((4, 64, 64), Cost(18 * 10**9, 0.5, 60 * 10**6), Cost(10**11, 5.0, 10**8)),
)


@pytest.fixture(scope="module")
def found() -> Comparison:
    """In this process, for speed; test_cost.py sees to the others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spaces, "apart", lambda work: work())
        return compare(64, TINY, TINY_SPACE)


def test_both_spaces_are_measured(found: Comparison) -> None:
    assert found.pixels.shape == (3, 64, 64)
    assert found.latents.shape == (4, 16, 16)
    assert found.pixels.decode is None
    assert found.latents.decode is not None
    assert found.latents.decode.operations > 0
    assert found.threads >= 1


def test_latents_take_less_of_everything(found: Comparison) -> None:
    for line in lines(found):
        assert line.name == "memory per step" or line.pixels > line.latents, line.name
    assert found.pixels.step.operations > 16 * found.latents.step.operations, "attention grows with the square"


def test_what_is_measured_is_told() -> None:
    heard: list[str] = []
    with pytest.raises(InvalidRequest, match="size is 30, but must be a multiple of 4"):
        compare(30, TINY, TINY_SPACE, heard.append)
    assert heard == []


def test_the_classic_numbers() -> None:
    assert CLASSIC.pixels.numbers == 786_432
    assert CLASSIC.latents.numbers == 16_384
    assert CLASSIC.pixels.picture_seconds == 50 * 120
    assert CLASSIC.latents.picture_seconds == 50 * 0.5 + 5


def test_the_table_says_it_in_words() -> None:
    text = table(CLASSIC)
    head, shape, numbers, *_ = text.splitlines()
    assert head.split() == ["pixels", "latents", "saved"]
    assert "3 × 512 × 512" in shape
    assert "4 × 64 × 64" in shape
    assert numbers.split() == ["numbers", "per", "picture", "786,432", "16,384", "48", "×"]
    assert "9 TFLOP 18 GFLOP 500 ×" in " ".join(text.split())
    assert "2 threads" in text
    assert all(line == line.rstrip() for line in text.splitlines())


def test_what_could_not_be_measured_is_left_out() -> None:
    blind = Comparison(64, 1, Room((3, 64, 64), Cost(100, 2.0, 0), None), Room((4, 8, 8), Cost(10, 1.0, 0), None))
    assert "memory per step" not in [line.name for line in lines(blind)]
    assert "1 thread." in footnote(blind)
    assert "decoding" not in footnote(blind)


def test_bars_grow_with_what_is_compared() -> None:
    paper = bars(CLASSIC)
    assert paper.width == WIDTH
    colours = {colour: count for count, colour in paper.getcolors(2**24) or []}
    assert colours[RUST] > 10 * colours[INDIGO]


@pytest.mark.parametrize(
    ("value", "unit", "wanted"),
    [
        (786_432.0, "", "786,432"),
        (9.03e12, "FLOP", "9.03 TFLOP"),
        (1.08e9, "FLOP", "1.08 GFLOP"),
        (0.0123, "s", "12.3 ms"),
        (0.9996, "s", "1 s"),
        (6000.0, "s", "6,000 s"),
        (96.8e6, "B", "96.8 MB"),
        (999.7e3, "B", "1 MB"),
    ],
)
def test_numbers_are_short(value: float, unit: str, wanted: str) -> None:
    assert short(value, unit) == wanted
