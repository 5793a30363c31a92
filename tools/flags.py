"""The flags of every verb, drawn from its dataclass of options, for completion scripts."""

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from importlib import import_module
from typing import Any, get_args, get_type_hints

from inkwash.cli.completion import FLAGS
from inkwash.cli.main import VERBS
from inkwash.files import atomic


def main() -> None:
    """Write them down."""
    with atomic(FLAGS, overwrite=True) as part:
        part.write_text(written(), "utf-8")


def written() -> str:
    """The whole table, a line for every verb."""
    rows = [f"{json.dumps(name)}: {json.dumps(sorted(flags(verb.module)))}" for name, verb in VERBS.items()]
    return "{\n" + ",\n".join(rows) + "\n}\n"


def flags(module: str) -> set[str]:
    """--flag for every option of a verb."""
    options = get_type_hints(import_module(module).run)["options"]
    return {f"--{name.replace('_', '-')}" for name in _names(options)} | {"--help"}


def _names(options: Any) -> Iterator[str]:
    hints, marked = get_type_hints(options), get_type_hints(options, include_extras=True)
    for field in fields(options):
        if "Suppress" in str(marked[field.name]):
            continue
        if is_dataclass(hints[field.name]):
            prefix = "" if "name=''" in str(marked[field.name]) else f"{field.name}."
            yield from (prefix + name for name in _names(hints[field.name]))
        elif not any("Positional" in str(mark) for mark in get_args(marked[field.name])[1:]):
            yield field.name


if __name__ == "__main__":
    main()
