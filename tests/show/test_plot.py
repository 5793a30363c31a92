from PIL import Image

from inkwash.show.canvas import INK, MOSS, PAPER, RUST
from inkwash.show.plot import Axis, Curve, plot, ticks

BARE = Axis()
"""Without names and ticks the frame begins 14 pixels from every side."""


def drawn(*curves: Curve, ground: Image.Image | None = None) -> Image.Image:
    return plot(curves, BARE, BARE, (128, 128), ground=ground)


def test_a_line_goes_where_its_points_are() -> None:
    picture = drawn(Curve([0.0, 1.0], [0.0, 1.0], RUST, 4.0))
    assert picture.getpixel((64, 63)) == RUST
    assert picture.getpixel((30, 97)) == RUST
    assert picture.getpixel((30, 30)) == PAPER


def test_filled_reaches_the_floor() -> None:
    picture = drawn(Curve([0.0, 1.0], [0.5, 0.5], RUST, filled=True))
    assert picture.getpixel((64, 90)) == RUST
    assert picture.getpixel((64, 40)) == PAPER


def test_opacity_mixes_with_the_paper() -> None:
    red, *_ = drawn(Curve([0.0, 1.0], [0.5, 0.5], INK, opacity=0.5, filled=True)).getpixel((64, 90))
    assert abs(red - (INK[0] + PAPER[0]) / 2) <= 1


def test_later_curves_lie_over_earlier_ones() -> None:
    below, above = (Curve([0.0, 1.0], [0.5, 0.5], colour, filled=True) for colour in (RUST, MOSS))
    assert drawn(below, above).getpixel((64, 90)) == MOSS


def test_nothing_is_drawn_outside_the_frame() -> None:
    picture = drawn(Curve([-5.0, 5.0], [9.0, 9.0], RUST, 8.0), Curve([0.5, 0.5], [-5.0, 5.0], RUST, 8.0))
    assert picture.getpixel((64, 8)) == PAPER
    assert picture.getpixel((64, 64)) == RUST


def test_ground_lies_under_the_curves() -> None:
    picture = drawn(Curve([0.0, 1.0], [0.5, 0.5], RUST, 6.0), ground=Image.new("RGB", (7, 3), MOSS))
    assert picture.getpixel((40, 100)) == MOSS
    assert picture.getpixel((64, 64)) == RUST
    assert picture.getpixel((5, 5)) == PAPER


def test_names_ticks_and_legend_take_ink() -> None:
    plain = plot([], BARE, BARE, (300, 200))
    named = plot(
        [Curve([0.0, 1.0], [0.0, 0.0], name="loss")],
        Axis("images", ticks=ticks([0.0, 0.5, 1.0])),
        Axis("loss", ticks=ticks([0.0, 1.0])),
        (300, 200),
        "Loss",
    )
    assert named.size == plain.size == (300, 200)
    assert sum(pixel < 120 for pixel in named.convert("L").tobytes()) > 200


def test_ticks_are_written_short() -> None:
    assert ticks([0.5, 10.0, 1000.0]) == ((0.5, "0.5"), (10.0, "10"), (1000.0, "1000"))
