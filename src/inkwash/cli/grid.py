"""`inkwash grid`: one prompt, and a picture for every combination of a few settings, on a labelled sheet."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional

from inkwash.cli.options import AskedFor, Computed, ComputeFlags, Preview, RequestFlags, requests
from inkwash.cli.places import Places
from inkwash.errors import InvalidRequest
from inkwash.request.axes import Axis, axis_of, cells
from inkwash.request.generate import GenerateRequest

if TYPE_CHECKING:
    from inkwash.pipeline.painting import Painting

MOST = 10_000
"""Pictures of a grid."""


@dataclass(frozen=True)
class GridOptions:
    """Paint a grid; the paths of its pictures and of the sheet are printed."""

    prompt: Annotated[str, Positional]
    """What to paint, in quotation marks."""
    x: str | None = None
    """What changes from column to column: "steps=10, 20, 40", "guidance=1-5 (+2)", "replace=cat, dog"."""
    y: str | None = None
    """What changes from row to row."""
    z: str | None = None
    """What changes from table to table."""
    request: AskedFor = field(default_factory=RequestFlags)
    compute: Computed = field(default_factory=ComputeFlags)
    out: Path = Path("grid.png")
    """The sheet; its pictures go into a folder of the same name."""
    overwrite: bool = False
    """Replace files that have the names wanted."""
    preview: Preview = "auto"
    """Show the sheet in the terminal."""


def run(options: GridOptions) -> None:
    """Paint every cell, write it, and the sheet at last."""
    axes = tuple(axis_of(text) for text in (options.x, options.y, options.z) if text is not None)
    if not axes:
        raise InvalidRequest("x", None, 'given: --x "guidance=1-5"')
    checked_size(axes)
    (asked,) = requests(options.request, (options.prompt,), 0)
    if asked.count != 1 or asked.templates.matrix:
        raise InvalidRequest("count", asked.count, "1, and no matrix: a cell has one picture")
    list(cells(asked, axes))  # what is wrong is said before torch wakes up
    sheet = Places(options.out, overwrite=options.overwrite)
    single = Places(options.out.with_suffix(""), overwrite=options.overwrite)
    if options.out.suffix.lower() != ".png":
        raise InvalidRequest("out", str(options.out), "a name that ends in .png")
    sheet.check()
    single.check()

    from inkwash.cli.terminal import show
    from inkwash.metadata.script import side_of
    from inkwash.pipeline.painting import grid_record
    from inkwash.request.seeds import chosen_seed
    from inkwash.show.grid_sheet import grid_file

    wanted = list(cells(replace(asked, seed=chosen_seed(options.request.seed)), axes))
    try:
        paintings = _painted(wanted, options, single)
        whole, data = grid_file(paintings, grid_record(paintings, tuple(map(side_of, axes))))
        sheet.picture("grid", data)
    finally:
        single.tell()
        sheet.tell()
    show([whole], options.preview)


def _painted(wanted: list[GenerateRequest], options: GridOptions, places: Places) -> list["Painting"]:
    """Every cell, painted and written; one model after the other."""
    from inkwash.cli.easel import painted
    from inkwash.device import compute
    from inkwash.pipeline.engine import Engine
    from inkwash.weights.models import open_model

    found: dict[int, Painting] = {}
    for choice in dict.fromkeys(cell.choice for cell in wanted):
        engine = Engine(open_model(choice), compute(options.compute.device, options.compute.dtype))
        numbers = [number for number, cell in enumerate(wanted) if cell.choice == choice]
        waiting = iter(numbers)
        for done in painted(engine, engine.batches(wanted[number] for number in numbers)):
            for painting in done:
                found[next(waiting)] = painting
                places.picture(painting.request.prompt, painting.png())
    return [found[number] for number in range(len(wanted))]


def checked_size(axes: tuple[Axis, ...]) -> None:
    """Raise InvalidRequest for more pictures than anybody can mean."""
    count = 1
    for axis in axes:
        count *= len(axis.values)
    if count > MOST:
        raise InvalidRequest("axis", f"{count} pictures", f"at most {MOST}")
