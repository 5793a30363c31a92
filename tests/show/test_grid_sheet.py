from PIL import Image

from inkwash.show.canvas import INK
from inkwash.show.grid_sheet import GAP, grid_sheet

COLOURS = ["red", "lime", "blue", "cyan", "magenta", "yellow"]


def test_pictures_stand_in_rows_below_their_labels() -> None:
    pictures = [Image.new("RGB", (40, 30), colour) for colour in COLOURS]
    sheet = grid_sheet(pictures, [("a", "b", "c"), ("cat", "dog")])
    rights = [sheet.width - GAP - 20 - (2 - column) * (40 + GAP) for column in range(3)]
    lows = [sheet.height - GAP - 15 - (1 - row) * (30 + GAP) for row in range(2)]
    found = [sheet.getpixel((x, y)) for y in lows for x in rights]
    assert found == [picture.getpixel((0, 0)) for picture in pictures]
    dark = [
        place for place in range(sheet.height) if sheet.crop((0, place, 30, place + 1)).getextrema()[0][0] <= INK[0]
    ]
    assert dark, "labels of rows are written at the left"


def test_tables_stand_under_each_other() -> None:
    pictures = [Image.new("RGB", (40, 30), colour) for colour in COLOURS]
    one = grid_sheet(pictures[:2], [("a", "b")])
    three = grid_sheet(pictures, [("a", "b"), ("",), ("x", "y", "z")])
    assert three.width == one.width
    assert three.height > 3 * one.height
