"""Styles: named additions to prompts, from the styles.csv that the web UI keeps."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from io import StringIO
from pathlib import Path

from inkwash.errors import InvalidRequest

SLOT = "{prompt}"
LARGEST_FILE = 8 * 2**20


@dataclass(frozen=True)
class Style:
    """What a style adds; where it says {prompt}, the prompt stands inside."""

    name: str
    prompt: str = ""
    negative_prompt: str = ""


def read_styles(path: Path) -> dict[str, Style]:
    """The styles of a file with the columns name, prompt (or text), negative_prompt.  Raises InvalidRequest."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise InvalidRequest("styles", str(path), f"a file of at most {LARGEST_FILE // 2**20} MB")
        text = path.read_text(encoding="utf-8-sig")
        rows = list(csv.DictReader(StringIO(text, newline=""), restval=""))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidRequest("styles", str(path), f"a table in UTF-8 with commas ({error})") from None
    if not rows or not {"name"} <= rows[0].keys():
        raise InvalidRequest("styles", str(path), "a table with the columns name, prompt and negative_prompt")
    styles = (
        Style(row["name"] or "", row.get("prompt") or row.get("text") or "", row.get("negative_prompt") or "")
        for row in rows
    )
    return {style.name: style for style in styles if style.name}


def styled(prompt: str, negative_prompt: str, names: Sequence[str], styles: Mapping[str, Style]) -> tuple[str, str]:
    """Both prompts with the named styles, one after the other.  Raises InvalidRequest for a name that is not known."""
    for name in names:
        if name not in styles:
            close = get_close_matches(name, styles, 1)
            raise InvalidRequest("styles", name, f"the name of a style{f', perhaps {close[0]}' if close else ''}")
        prompt = applied(styles[name].prompt, prompt)
        negative_prompt = applied(styles[name].negative_prompt, negative_prompt)
    return prompt, negative_prompt


def applied(style: str, prompt: str) -> str:
    """A prompt inside a style, or followed by it."""
    if SLOT in style:
        return style.replace(SLOT, prompt)
    return ", ".join(part for part in (prompt.strip(), style.strip()) if part)
