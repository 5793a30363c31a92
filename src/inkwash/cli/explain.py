"""`inkwash explain`: one sheet with every step of the way to a picture."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional

from inkwash.cli.keeping import kept, ready
from inkwash.cli.options import AskedFor, Computed, ComputeFlags, RequestFlags, requests
from inkwash.errors import InvalidRequest

SAMPLER = "euler_ancestral"
"""Unless another is asked for: its steps have a random part to show."""


@dataclass(frozen=True, kw_only=True)
class ExplainOptions:
    """Take one painting apart, step by step, on one sheet."""

    prompt: Annotated[str, Positional]
    """What to paint, in quotation marks."""
    request: AskedFor = field(default_factory=RequestFlags)
    compute: Computed = field(default_factory=ComputeFlags)
    out: Path = Path("explain.png")
    """The sheet; a name that is taken gets a number."""
    rows: int = 6
    """Steps to show, from the first to the last."""
    overwrite: bool = False
    """Replace a file that has the name wanted."""


def run(options: ExplainOptions) -> None:
    """Paint, take apart, and print the path."""
    ready(options.out)
    if not 1 <= options.rows <= 50:
        raise InvalidRequest("rows", options.rows, "from 1 to 50")
    requests(options.request, (options.prompt,), 0)  # what is wrong is said before torch wakes up

    from inkwash.device import compute
    from inkwash.pictures.picture import png
    from inkwash.pipeline.engine import Engine
    from inkwash.request.seeds import chosen_seed
    from inkwash.show.explain import explain
    from inkwash.show.explain_sheet import explained
    from inkwash.weights.models import open_model

    where, room = options.compute, options.compute.bytes
    engine = Engine(open_model(options.request.choice, where.keeping, room), compute(where.device, where.dtype, room))
    (asked,) = requests(options.request, (options.prompt,), chosen_seed(options.request.seed))
    asked = asked if asked.sampler else replace(asked, sampler=SAMPLER)
    found = explain(engine, asked, options.rows)
    kept(options.out, png(explained(found), {}), overwrite=options.overwrite)
