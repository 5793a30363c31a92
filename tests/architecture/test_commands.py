"""Every command that the documentation shows can be typed as it stands."""

import re
import shlex
from importlib import import_module
from pathlib import Path
from typing import get_type_hints

import pytest

from inkwash.cli.main import VERBS
from inkwash.cli.parsing import parsed

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"])
LINES = [
    (page, line)
    for page in PAGES
    for block in re.findall(r"^```sh\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    for line in block.replace("\\\n", " ").splitlines()
    if re.match(r"inkwash [a-z]", line) and "--help" not in line
]
FAMILIES = sorted((ROOT / "docs/guides/models").glob("*.md"))


@pytest.mark.parametrize(("page", "line"), LINES, ids=[f"{page.stem}: {line[:60]}" for page, line in LINES])
def test_commands_parse(page: Path, line: str) -> None:
    _, name, *words = shlex.split(line, comments=True)
    options = get_type_hints(import_module(VERBS[name].module).run)["options"]
    assert parsed(options, name, words) is not None


@pytest.mark.parametrize("page", FAMILIES, ids=lambda page: page.stem)
def test_every_family_says_what_its_file_is_and_how_it_is_known(page: Path) -> None:
    text = page.read_text()
    assert all(f"**{word}" in text for word in ("The file.", "Recognised"))
    assert text.index("```sh") < text.index("**The file.")
