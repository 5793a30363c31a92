"""Where the commands that show an idea put their pictures."""

from pathlib import Path

from inkwash.errors import InvalidRequest, OutputError
from inkwash.files import atomic, free_name, told


def ready(path: Path, suffix: str = ".png") -> None:
    """Make the folder, before any work is done.  Raises InvalidRequest for another suffix, OutputError for the rest."""
    if path.suffix.lower() != suffix:
        raise InvalidRequest("out", str(path), f"a name that ends in {suffix}")
    if path.parent.exists() and not path.parent.is_dir():
        raise OutputError(f"cannot write into {path.parent}: it is no folder")
    with told(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)


def kept(path: Path, data: bytes, *, overwrite: bool) -> Path:
    """Write a file, and print its path; a name that is taken gets a number unless `overwrite`."""
    place = path if overwrite else free_name(path)
    with atomic(place, overwrite=overwrite) as part:
        part.write_bytes(data)
    print(place, flush=True)  # noqa: T201
    return place
