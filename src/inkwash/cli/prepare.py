"""`inkwash prepare`: what a ControlNet would be shown of a picture."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional

from inkwash.request.control import Preprocessor, Resize


@dataclass(frozen=True)
class PrepareOptions:
    """Make a hint of a picture as paint --control does, and write it as a PNG; its path is printed."""

    picture: Annotated[Path, Positional]
    """Any picture."""
    preprocessor: Annotated[Preprocessor, Positional]
    """How."""
    out: Annotated[Path, Positional]
    """The new .png."""
    threshold_a: float | None = None
    """Canny's lower threshold; of lineart and blur the radius, of grid the side of a square, of tile the shrinking."""
    threshold_b: float | None = None
    """Canny's upper threshold; of lineart how faint a line may be."""
    width: int | None = None
    """In pixels, as it will be painted; with height."""
    height: int | None = None
    """In pixels."""
    resize: Resize = "crop"
    """How it comes to that size: cut, pulled, or put on black."""
    overwrite: bool = False
    """Replace a file that has the name wanted."""


def run(options: PrepareOptions) -> None:
    """Read, prepare, write."""
    from inkwash.errors import InvalidRequest
    from inkwash.request.control import Control
    from inkwash.request.limits import checked

    control = Control(
        model=Path(),
        image=options.picture,
        preprocessor=options.preprocessor,
        threshold_a=options.threshold_a,
        threshold_b=options.threshold_b,
        resize=options.resize,
    )
    if options.out.suffix.lower() != ".png":
        raise InvalidRequest("out", str(options.out), "a name that ends in .png")
    for name in ("width", "height"):
        if getattr(options, name) is not None:
            checked(name, getattr(options, name))

    from inkwash.pictures.photo import read_photo
    from inkwash.pictures.picture import png, save
    from inkwash.pictures.preprocess import prepared

    picture = read_photo(options.picture, "picture")
    size = (options.width or picture.width, options.height or picture.height)
    save(options.out, png(prepared(picture, control, size), {}), overwrite=options.overwrite)
    print(options.out)  # noqa: T201
