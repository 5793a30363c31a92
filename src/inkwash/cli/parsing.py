"""Words of the command line become a dataclass of options; a word that does not fit gets one line, not a box."""

import re
from collections.abc import Sequence
from contextlib import redirect_stderr
from io import BytesIO, TextIOWrapper
from typing import Any

import tyro

from inkwash.errors import InkwashError

STYLE = re.compile(r"\x1b\[[0-9;]*m")
FRAME, RULES = "│╭╮╰╯ ", "─-"  # dashes where standard output is not UTF-8
SETTINGS = (tyro.conf.FlagCreatePairsOff,)


class UsageError(InkwashError):
    """A flag that does not exist, or a value that is not of its kind."""

    exit_code = 2
    http_status = 422


def parsed(options: Any, verb: str, words: Sequence[str]) -> Any:
    """An `options`, from words.  Raises UsageError in one line; --help prints and raises SystemExit."""
    boxes = TextIOWrapper(BytesIO(), encoding="utf-8", write_through=True)
    try:
        with redirect_stderr(boxes):
            return tyro.cli(options, prog=f"inkwash {verb}", args=list(words), config=SETTINGS)
    except SystemExit as end:
        if not end.code:
            raise
        boxes.seek(0)
        raise UsageError(f"{one_line(boxes.read())}; see inkwash {verb} --help") from None


def one_line(box: str) -> str:
    """What the first box says, without its frame, and without the help that follows a rule."""
    said: list[str] = []
    for framed in STYLE.sub("", box).splitlines()[1:]:  # the first is a title
        line = framed.strip(FRAME)
        rule = not line.strip(RULES)
        if said and (rule or line == "Got errors:"):
            break
        if not rule:
            said.append(line)
    text = " ".join(said).rstrip(".")
    return text[:1].lower() + text[1:]
