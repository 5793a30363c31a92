"""`inkwash paint`: prompts in, PNG files out."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from inkwash.cli.options import AskedFor, Computed, ComputeFlags, Preview, RequestFlags, read_prompts, requests
from inkwash.cli.places import Places
from inkwash.errors import InvalidRequest
from inkwash.metadata.prompt_files import read_lines
from inkwash.request.generate import GenerateRequest
from inkwash.weights.plain import built, plain


@dataclass(frozen=True)
class PaintOptions:
    """Paint pictures of one prompt or several; their paths are printed."""

    prompts: Annotated[tuple[str, ...], Positional] = ()
    """What to paint, each prompt in quotation marks."""
    request: AskedFor = field(default_factory=RequestFlags)
    compute: Computed = field(default_factory=ComputeFlags)
    prompts_file: Path | None = None
    """More prompts, one a line."""
    source: Annotated[Path | None, arg(name="from")] = None
    """A list instead: .jsonl with a request a line, or a text with prompts. What is there already is not repeated."""
    out: Path = Path()
    """A folder, or the name of a .png; what is taken gets a number."""
    sheet: Path | None = None
    """Put all pictures on one sheet with this name instead."""
    columns: int | None = None
    """Of the sheet; about as many as rows if left out."""
    watch: bool = False
    """Write the way from noise to picture as an animated WebP, too."""
    overwrite: bool = False
    """Replace files that have the names wanted."""
    preview: Preview = "auto"
    """Show the pictures in the terminal."""


def run(options: PaintOptions) -> None:
    """Paint, and print the paths."""
    if options.source is not None:
        run_list(options, options.source)
        return
    prompts = options.prompts + (() if options.prompts_file is None else read_prompts(options.prompts_file))
    requests(options.request, prompts, 0)  # what is wrong is said before torch wakes up
    places = Places(options.out, options.sheet, options.overwrite)
    places.check()

    from inkwash.cli.easel import painted
    from inkwash.cli.terminal import show
    from inkwash.device import compute
    from inkwash.pipeline.engine import Engine
    from inkwash.pipeline.film import Film
    from inkwash.pipeline.painting import sheet
    from inkwash.request.seeds import chosen_seed
    from inkwash.weights.models import open_model

    where, room = options.compute, options.compute.bytes
    bundle = open_model(options.request.choice, where.keeping, room)
    engine = Engine(bundle, compute(where.device, where.dtype, room))
    batches = engine.batches(requests(options.request, prompts, chosen_seed(options.request.seed)))
    film = Film(engine) if options.watch else None
    paintings = []
    try:
        for done in painted(engine, batches, film):
            paintings += done
            for painting in done if options.sheet is None else ():
                places.picture(painting.request.prompt, painting.png())
        if options.sheet is not None:
            record = engine.record([single for batch in batches for single in batch.requests])
            places.whole(sheet(paintings, record, options.columns))
        if film is not None:
            places.film(prompts[0], film.webp())
    finally:
        places.tell()  # after Ctrl-C, too: what was finished is there
    show([painting.image for painting in paintings], options.preview)


def run_list(options: PaintOptions, source: Path) -> None:
    """Paint what a file lists; other options hold where its lines say nothing else."""
    for name in ("prompts", "prompts_file", "sheet", "watch", "overwrite"):
        if getattr(options, name):
            raise InvalidRequest(name, getattr(options, name), "left out: --from names a list of its own")
    lines = read_lines(source, built(GenerateRequest, plain(options.request)))
    places = Places(options.out)
    if options.out.suffix:
        raise InvalidRequest("out", str(options.out), "a folder: the lines of the list name the files")
    places.check()

    from inkwash.cli.lists import Listed
    from inkwash.cli.terminal import show
    from inkwash.device import compute

    listed = Listed(places, compute(options.compute.device, options.compute.dtype))
    try:
        images = [painting.image for done in listed.paint(lines) for painting in done]
    finally:
        places.tell()
    show(images, options.preview)
    if listed.bad:
        raise InvalidRequest("from", str(source), f"a list whose lines can all be painted; {len(listed.bad)} could not")
