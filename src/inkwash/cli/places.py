"""Where results go: named after their prompts, never over another file unless allowed, told on standard output."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from inkwash.errors import InvalidRequest, OutputError
from inkwash.files import atomic, free_name, told

LONGEST_NAME = 60


@dataclass(frozen=True)
class Places:
    """The names that the user gave, and what was written under them."""

    out: Path
    """A folder, or the .png that a picture becomes."""
    sheet: Path | None = None
    overwrite: bool = False
    written: dict[Path, None] = field(default_factory=dict)
    """What this run has written, in order, and never writes over."""

    def check(self) -> None:
        """Make the folder if need be.

        Raises InvalidRequest for a name that is no PNG's, OutputError for a place that cannot be written.
        """
        for name, path in (("out", self.out), ("sheet", self.sheet)):
            if path is not None and path.suffix and path.suffix.lower() != ".png" and not path.is_dir():
                raise InvalidRequest(name, str(path), "a .png, or for --out a folder")
        folder = self.out if self._named is None and self.sheet is None else (self.sheet or self.out).parent
        with told(folder):
            folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise OutputError(f"cannot write into {folder}: permission denied")

    def tell(self) -> None:
        """Print the paths of what was written."""
        for path in self.written:
            print(path, flush=True)  # noqa: T201

    def picture(self, prompt: str, data: bytes) -> None:
        """Write one picture."""
        self._write(self._named or self.out / f"{slug(prompt)}.png", data)

    def whole(self, data: bytes) -> None:
        """Write the sheet."""
        assert self.sheet is not None  # noqa: S101  asked for only with a sheet
        self._write(self.sheet.with_suffix(".png"), data)

    def exactly(self, path: Path, data: bytes) -> None:
        """Write a picture under this very name.  Raises OutputError if it is taken."""
        with atomic(path) as part:
            part.write_bytes(data)
        self.written[path] = None

    def film(self, prompt: str, data: bytes) -> None:
        """Write the animation, beside what it shows."""
        still = self.sheet or self._named or self.out / slug(prompt)
        self._write(still.with_suffix(".webp"), data)

    @property
    def _named(self) -> Path | None:
        return self.out if self.out.suffix.lower() == ".png" and not self.out.is_dir() else None

    def _write(self, path: Path, data: bytes) -> None:
        place = path if self.overwrite and path not in self.written else free_name(path)
        with atomic(place, overwrite=self.overwrite) as part:
            part.write_bytes(data)
        self.written[place] = None


def slug(prompt: str) -> str:
    """A file name that tells what it shows, in any script: words joined by dashes."""
    words = re.sub(r"[\W_]+", "-", prompt.lower()).strip("-")
    return words[:LONGEST_NAME].rstrip("-") or "painting"
