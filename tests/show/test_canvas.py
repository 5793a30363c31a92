import pytest
from PIL import Image

from inkwash.show.canvas import INK, MOSS, PAPER, beside, fitted, label, sheet, stacked, text_width

SQUARE = Image.new("RGB", (40, 30), MOSS)


def test_sheet_lays_pictures_in_rows() -> None:
    paper = sheet([SQUARE] * 5, 2, gap=10)
    assert paper.size == (10 + 2 * 50, 10 + 3 * 40)
    assert paper.getpixel((15, 15)) == MOSS
    assert paper.getpixel((65, 95)) == PAPER  # the sixth place is empty


def test_labels_stand_under_their_pictures() -> None:
    paper = sheet([SQUARE, SQUARE], 2, ["one"], gap=10)
    assert paper.height == 10 + 30 + label("one", 40).height + 10
    left, right = paper.crop((10, 40, 50, 65)), paper.crop((60, 40, 100, 65))
    assert min(left.convert("L").tobytes()) < 120
    assert right.getcolors() == [(40 * 25, PAPER)]


def test_smaller_pictures_stand_in_the_middle_of_their_cells() -> None:
    paper = sheet([SQUARE, Image.new("RGB", (20, 10), INK)], 2, gap=10)
    assert paper.getpixel((80, 25)) == INK
    assert paper.getpixel((62, 25)) == PAPER


def test_title_has_its_own_room() -> None:
    assert sheet([SQUARE], 1, title="Title").height > sheet([SQUARE], 1).height


def test_an_empty_sheet_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one picture"):
        sheet([], 3)


def test_grey_and_transparent_pictures_become_rgb() -> None:
    assert sheet([SQUARE.convert("L"), SQUARE.convert("RGBA")], 2).mode == "RGB"


def test_long_words_are_cut_where_they_would_not_fit() -> None:
    cut = fitted("a photo of a very long beagle", 80, 14)
    assert cut.endswith("…")
    assert text_width(cut, 14) <= 80
    assert fitted("cat", 80, 14) == "cat"
    assert fitted("cat", 1, 14) == "…"


def test_label_has_a_line_for_each_line() -> None:
    assert label("a\nb", 50).height > label("a", 50).height
    assert label("a", 50).width == 50


def test_greek_is_spelt_because_the_typeface_has_none() -> None:
    assert fitted("σ = 3×", 200, 14) == "sigma = 3x"


def test_pictures_stand_beside_and_upon_each_other() -> None:
    other = Image.new("RGB", (10, 50), INK)
    assert beside([SQUARE, other], gap=5).size == (55, 50)
    assert stacked([SQUARE, other], gap=5, margin=2).size == (44, 89)
    assert stacked([SQUARE, other], gap=5, margin=2).getpixel((3, 40)) == INK
