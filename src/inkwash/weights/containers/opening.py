"""Any file or folder, by what it holds and not by what it is called."""

from pathlib import Path

from inkwash.errors import WeightsError
from inkwash.weights.containers.folder import open_folder
from inkwash.weights.containers.gguf import MAGIC, open_gguf
from inkwash.weights.containers.source import Source, open_safetensors


def open_source(path: Path, variant: str | None = None) -> Source:
    """A safetensors file, a GGUF file or a folder; nothing is read but names and shapes, and nothing is ever run.

    Raises WeightsError in one line if it is missing, broken, or a pickle, which only `inkwash convert` reads.
    """
    if path.is_dir():
        return open_folder(path, variant)
    return open_gguf(path) if first_bytes(path) == MAGIC else open_safetensors(path)


def first_bytes(path: Path) -> bytes:
    """The four bytes that tell one kind of file from another.  Raises WeightsError if they cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(4)
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror}") from None


def pickled(path: Path) -> bool:
    """Is it a torch file, old or new?"""
    return path.is_file() and first_bytes(path)[:2] in (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
