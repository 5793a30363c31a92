"""Files that are whole or not there: written beside their place, synced, then renamed."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp

from inkwash.errors import OutputError


@contextmanager
def atomic(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a temporary sibling to write; it becomes `path` only if the block succeeds.

    Raises OutputError if `path` exists and `overwrite` is False, or if it cannot be written (full disk, no folder).
    """
    if path.exists() and not overwrite:
        raise OutputError(f"{path} exists already; choose another name or allow overwriting")
    with told(path):
        handle, name = mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
        os.close(handle)
        part = Path(name)
        try:
            yield part
            sync(part)
            part.chmod(0o644)
            _publish(part, path, overwrite=overwrite)
            sync(path.parent)
        finally:
            part.unlink(missing_ok=True)


def free_name(path: Path) -> Path:
    """`path`, or the first of path-1, path-2, … that is not taken."""
    candidates = (path.with_stem(f"{path.stem}-{number}") for number in range(1, 1_000_000))
    return path if not path.exists() else next(name for name in candidates if not name.exists())


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn the system's refusals into one line about `path`."""
    try:
        yield
    except FileExistsError:
        raise OutputError(f"{path} exists already; choose another name or allow overwriting") from None
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror
        raise OutputError(f"cannot write {path}: {reason}") from None


def sync(path: Path) -> None:
    """Push a file, or the entries of a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _publish(part: Path, path: Path, *, overwrite: bool) -> None:
    if overwrite:
        part.replace(path)
    else:
        os.link(part, path)  # unlike rename, link refuses to replace a file that appeared meanwhile
