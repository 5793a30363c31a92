from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from inkwash.metadata.record import read_record

Inkwash = Callable[..., Any]


def test_a_grid_is_a_sheet_and_its_pictures(inkwash: Inkwash, tiny_folder: Path, tmp_path: Path) -> None:
    axes = ("--x", "steps=1-3", "--y", "replace=cat, dog", "--z", "guidance=1-2 [2]")
    done = inkwash("grid", "a cat", *axes, "--seed", "5", "--model", tiny_folder, "--preview", "off")
    assert done.code == 0, done.err
    assert done.paths[-1] == Path("grid.png")
    assert len(done.paths) == 13
    assert {path.parent for path in done.paths[:-1]} == {Path("grid")}
    asked = [read_record(path) for path in done.paths[:-1]]
    singles = [record.requests[record.index or 0] for record in asked if len(record.requests) > (record.index or 0)]
    assert {single.seed for single in singles} == {5}
    with Image.open(done.paths[-1]) as sheet:
        assert sheet.width > 3 * 32
        assert sheet.height > 4 * 32
        told = sheet.info["parameters"]
    assert told.startswith("a cat\nSteps: 1, ")
    assert (
        'Script: X/Y/Z plot, X Type: Steps, X Values: "1, 2, 3", Y Type: Prompt S/R, Y Values: "cat, dog", '
        'Z Type: CFG Scale, Z Values: "1, 2", Version: inkwash'
    ) in told
    record = read_record(done.paths[-1])
    assert sum(request.count for request in record.requests) == 12
    assert [side.field for side in record.sides] == ["steps", "replace", "guidance"]
    for path in (done.paths[1], done.paths[-1]):
        again = inkwash("again", path, "--preview", "off")
        assert "the same file, byte for byte" in again.err, path


def test_an_axis_over_models(inkwash: Inkwash, tiny_folder: Path) -> None:
    done = inkwash("grid", "a cat", "--x", f"model={tiny_folder}, {tiny_folder}/", "--steps", "1", "--preview", "off")
    assert (done.code, len(done.paths)) == (0, 3), done.err
    again = inkwash("again", done.paths[-1], "--preview", "off")
    assert again.code == 2
    assert "must be one by one model: the pictures of this sheet" in again.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "x is None, but must be given"),
        (("--x", "steps=0"), "steps is 0"),
        (("--x", "seed=1-900", "--y", "steps=1-900"), "axis is '810000 pictures', but must be at most 10000"),
        (("--x", "steps=1,2", "--count", "2"), "count is 2, but must be 1"),
        (("--x", "steps=1,2", "--out", "a.gif"), "out is 'a.gif', but must be a name that ends in .png"),
    ],
)
def test_grids_that_cannot_be_meant(inkwash: Inkwash, words: tuple[str, ...], message: str) -> None:
    done = inkwash("grid", "a cat", *words)
    assert done.code == 2
    assert message in done.err
