"""The log of a run: a JSON object per line, cut back to the checkpoint when a run is resumed."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from inkwash.files import atomic


class Log:
    """Appends to a file; a line is on its way to the disk as soon as it is written."""

    def __init__(self, path: Path, images_seen: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = [line for line in read_log(path) if line["images"] <= images_seen]
        with atomic(path, overwrite=True) as part:
            part.write_text("".join(json.dumps(line) + "\n" for line in kept), "utf-8")
        self._file: IO[str] = path.open("a", encoding="utf-8", buffering=1)

    def __enter__(self) -> "Log":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def write(self, images: int, kind: str, told: Mapping[str, Any]) -> None:
        """One line: the clock, what kind of line, and what it tells."""
        self._file.write(json.dumps({"images": images, "kind": kind, **told}) + "\n")


def read_log(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a log; a line cut short by a kill is left out."""
    if path.is_file():
        for line in path.read_text("utf-8").splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                continue
