"""Prompts that stand for many: wildcards, choices, styles, optional parts."""

from dataclasses import dataclass
from pathlib import Path

from inkwash.errors import InvalidRequest
from inkwash.request.limits import flag, one_path, text


@dataclass(frozen=True, kw_only=True)
class Templates:
    """How the prompts of a request become those that are painted.  Raises InvalidRequest."""

    wildcards: Path | None = None
    """A folder with .txt files: __name__ in a prompt becomes a line of name.txt; choices are made, too."""
    choices: bool = False
    """{red|blue} in a prompt becomes one of both, chosen by the seed of every picture."""
    styles: Path | None = None
    """A table of styles: .csv with the columns name, prompt, negative_prompt."""
    style: tuple[str, ...] = ()
    """Names in that table, applied one after the other."""
    matrix: bool = False
    """A picture for every combination of the parts of the prompt that stand behind bars: a cat|asleep|in ink."""

    def __post_init__(self) -> None:
        for name in ("wildcards", "styles"):
            if getattr(self, name) is not None:
                one_path(name, getattr(self, name))
        for name in ("choices", "matrix"):
            flag(name, getattr(self, name))
        if self.style and self.styles is None:
            raise InvalidRequest("styles", None, "given: the table that has the style")

    @property
    def acts(self) -> bool:
        """Is a prompt anything but what it says?"""
        return self != Templates()


@dataclass(frozen=True, kw_only=True)
class Written:
    """Prompts as they were written, where others were painted."""

    prompt: str | None = None
    negative_prompt: str | None = None

    def __post_init__(self) -> None:
        for name in ("prompt", "negative_prompt"):
            if getattr(self, name) is not None:
                text(f"written.{name}", getattr(self, name))
