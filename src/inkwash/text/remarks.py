"""Remarks in prompts: from a # to the end of its line."""

import re

from inkwash.text.tree import Mode

REMARK = re.compile(r"^[^\S\n]*#[^\n]*\n?|(?<=\s)#(?=\s)[^\n]*", re.MULTILINE)
"""A line that begins with #, or a # between blanks: neither C# nor #1 is a remark, nor is \\#."""


def without_remarks(text: str, mode: Mode) -> str:
    """The prompt without its remarks; the web UI takes every # for one and leaves an empty line in its place."""
    if "#" not in text:
        return text
    if mode == "native":
        return REMARK.sub("", text)
    whole_lines = re.sub(r"(^|\n)#[^\n]*(\n|$)", "\n", text)
    return re.sub(r"#[^\n]*(\n|$)", "\n", whole_lines)
