"""Folders of wildcard files: a choice a line."""

from pathlib import Path

from inkwash.errors import InvalidRequest

LARGEST_FILE = 8 * 2**20
MOST_FILES = 10_000


def read_wildcards(folder: Path) -> dict[str, tuple[str, ...]]:
    """The lines of every .txt below a folder; empty ones and those that begin with # are left out.

    Raises InvalidRequest if the folder or a file cannot be read, or is too large.
    """
    if not folder.is_dir():
        raise InvalidRequest("wildcards", str(folder), "a folder with .txt files")
    paths = sorted(path for path in folder.rglob("*.txt") if path.is_file())
    if len(paths) > MOST_FILES:
        raise InvalidRequest("wildcards", str(folder), f"a folder with at most {MOST_FILES} files")
    return {path.relative_to(folder).with_suffix("").as_posix(): _lines(path) for path in paths}


def _lines(path: Path) -> tuple[str, ...]:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise InvalidRequest("wildcards", str(path), f"a file of at most {LARGEST_FILE // 2**20} MB")
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest("wildcards", str(path), f"a text file in UTF-8 ({error})") from None
    return tuple(line.strip() for line in lines if line.strip() and not line.strip().startswith("#"))
