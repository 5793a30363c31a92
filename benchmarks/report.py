"""Results as a page of Markdown."""

from dataclasses import dataclass
from pathlib import Path

from inkwash.files import atomic, free_name


@dataclass(frozen=True)
class Section:
    """The answer to one question."""

    title: str
    told: str
    """What was measured, in plain words."""
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def page(day: str, hardware: str, sections: list[Section]) -> str:
    """The whole result."""
    return "\n\n".join([f"# Speed, {day}", hardware + ".", *(written(section) for section in sections)]) + "\n"


def written(section: Section) -> str:
    """A heading, a paragraph, a table."""
    lines = [section.head, tuple("---" for _ in section.head), *section.rows]
    table = "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
    return f"## {section.title}\n\n{section.told}\n\n{table}"


def keep(text: str, path: Path) -> Path:
    """Write a page, in a folder that may be new, beside older ones of that name; where it went."""
    path.parent.mkdir(parents=True, exist_ok=True)
    free = free_name(path)
    with atomic(free) as part:
        part.write_text(text)
    return free
