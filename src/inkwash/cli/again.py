"""`inkwash again`: a PNG that inkwash painted, painted once more."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional

from inkwash.cli.options import Preview
from inkwash.cli.places import Places
from inkwash.weights.choice import Keeping


@dataclass(frozen=True)
class AgainOptions:
    """Repaint a picture from what its PNG says, byte for byte; the new file's path is printed."""

    picture: Annotated[Path, Positional]
    """A PNG from inkwash paint or grid: a picture or a sheet."""
    out: Path | None = None
    """The new .png, or a folder for it; left out, it is put beside the old one."""
    overwrite: bool = False
    """Replace a file that has the name wanted."""
    preview: Preview = "auto"
    """Show the picture in the terminal."""
    keeping: Keeping = "auto"
    """Weights of a checkpoint in memory: float32, or as in its file; auto: float32 where there is room."""


def run(options: AgainOptions) -> None:
    """Paint, print the path, and say whether old and new are the same file."""
    old = options.picture
    places = Places(options.out or old.with_name(f"{old.stem}-again.png"), None, options.overwrite)

    from inkwash.cli.easel import painted, said, threads
    from inkwash.cli.terminal import show
    from inkwash.device import compute
    from inkwash.metadata.record import check, one_choice, read_record
    from inkwash.pipeline.engine import Engine
    from inkwash.pipeline.painting import sheet
    from inkwash.show.grid_sheet import grid_file
    from inkwash.weights.models import open_model

    record = read_record(old)
    places.check()
    bundle = open_model(one_choice(record, old), options.keeping)
    check(record, bundle)
    engine = Engine(bundle, compute(record.device, record.dtype))
    with threads(record.threads):
        paintings = [painting for done in painted(engine, engine.batches(record.requests)) for painting in done]
    if record.index is not None:
        paintings = paintings[record.index : record.index + 1]
    if record.sides:
        data = grid_file(paintings, record)[1]
    else:
        data = sheet(paintings, record, record.columns) if record.index is None else paintings[0].png()
    same = data == old.read_bytes()
    places.picture(f"{old.stem}-again", data)
    places.tell()
    said("the same file, byte for byte" if same else f"not the same bytes as {old}: another machine or version?")
    show([painting.image for painting in paintings], options.preview)
