"""`inkwash forward`: a photograph dissolves, as a labelled strip and as a film."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional

from inkwash.cli.keeping import kept, ready
from inkwash.errors import InvalidRequest

if TYPE_CHECKING:
    from inkwash.weights.bundle import Bundle

FILM = 40
"""Frames of the film."""
OWN_SIZE = 256
"""Side of the photograph in pixels where no model says one."""
SMALLEST, LARGEST = 32, 1024


@dataclass(frozen=True, kw_only=True)
class ForwardOptions:
    """Watch a photograph dissolve into noise, in pixels and in latents."""

    photo: Annotated[Path, Positional]
    """Any photograph; it is cropped to a square."""
    out: Path = Path("forward.png")
    """The strip; the film gets the same name with .webp. What is taken gets a number."""
    model: str = "pets"
    """Whose latent space and noise schedule to use: a shipped model, a folder with a model.json, or none."""
    schedule: Literal["model", "scaled_linear", "linear", "cosine", "flow"] = "model"
    """The noise schedule; without a model, `model` means scaled_linear."""
    frames: int = 8
    """Levels on the strip, from none to the end."""
    size: int | None = None
    """Side of the square in pixels; as the model paints if left out."""
    seed: int = 0
    """Chooses the noise."""
    film: bool = True
    """Write the film, too, unless told --no-film."""
    overwrite: bool = False
    """Replace files that have the names wanted."""


def run(options: ForwardOptions) -> None:
    """Dissolve, and print the paths."""
    ready(options.out)
    if not 2 <= options.frames <= 24:
        raise InvalidRequest("frames", options.frames, "from 2 to 24")

    from inkwash.denoiser import Target
    from inkwash.latent.pixelspace import PixelSpace
    from inkwash.pictures.photo import fitted, read_photo
    from inkwash.pictures.picture import pixels_of, png
    from inkwash.pipeline.film import animated
    from inkwash.show.forward import Space, dissolve, film_frames, strip
    from inkwash.weights.choice import ModelChoice
    from inkwash.weights.models import open_model
    from inkwash.weights.schedules import ScheduleSpec

    bundle = None if options.model == "none" else open_model(ModelChoice(options.model))
    size = checked_size(options.size, bundle)
    photo = pixels_of([fitted(read_photo(options.photo, "photo"), (size, size))])
    spaces: dict[str, Space] = {"pixels": PixelSpace()}
    if bundle is not None and not isinstance(bundle.autoencoder, PixelSpace):
        spaces["latents"] = bundle.autoencoder
    name = "scaled_linear" if options.schedule == "model" else options.schedule
    own = bundle is not None and options.schedule == "model"
    schedule = bundle.schedule if bundle is not None and own else ScheduleSpec(name).schedule()
    target: Target = bundle.target if bundle is not None and own else ("flow" if name == "flow" else "epsilon")

    title = (
        f"{options.photo.stem} dissolves, on the schedule {f'of {bundle.name}' if bundle is not None and own else name}"
    )
    found = dissolve(photo, spaces, schedule, target, options.frames, options.seed)
    still = kept(options.out, png(strip(found, title), {}), overwrite=options.overwrite)
    if options.film:
        moments = dissolve(photo, spaces, schedule, target, FILM, options.seed)
        kept(still.with_suffix(".webp"), animated(film_frames(moments), 80), overwrite=options.overwrite)


def checked_size(wanted: int | None, bundle: "Bundle | None") -> int:
    """The side of the square.  Raises InvalidRequest if the autoencoder cannot halve it often enough."""
    size = wanted or (OWN_SIZE if bundle is None else bundle.defaults.width)
    factor = 1 if bundle is None else bundle.autoencoder.spec.factor
    if not SMALLEST <= size <= LARGEST or size % factor:
        raise InvalidRequest("size", size, f"a multiple of {factor} from {SMALLEST} to {LARGEST}")
    return size
