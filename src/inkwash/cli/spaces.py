"""`inkwash spaces`: why Stable Diffusion works in latents, measured here."""

from dataclasses import dataclass
from pathlib import Path

from inkwash.cli.keeping import kept, ready
from inkwash.errors import InvalidRequest

LARGEST = 1024


@dataclass(frozen=True, kw_only=True)
class SpacesOptions:
    """Run the same predictor on pixels and on latents, and compare what they take."""

    size: int = 128
    """Side of the picture in pixels; 512 is Stable Diffusion's, and takes minutes in pixel space."""
    out: Path = Path("spaces.png")
    """The comparison as bars; a name that is taken gets a number."""
    overwrite: bool = False
    """Replace a file that has the name wanted."""


def run(options: SpacesOptions) -> None:
    """Measure, and print the table and the path."""
    ready(options.out)
    if not 0 < options.size <= LARGEST:
        raise InvalidRequest("size", options.size, f"from 1 to {LARGEST}")

    from inkwash.cli.progress import bar
    from inkwash.latent.spec import PETS as SPACE
    from inkwash.pictures.picture import png
    from inkwash.predictor.spec import PETS
    from inkwash.show.spaces import compare
    from inkwash.show.spaces_sheet import bars, table

    with bar("measuring", 3) as line:
        started = iter(range(3))
        found = compare(options.size, PETS, SPACE, lambda what: line.at(next(started), what))
    print(table(found), flush=True)  # noqa: T201
    kept(options.out, png(bars(found), {}), overwrite=options.overwrite)
