"""The first page keeps its promises: short, in two languages that say the same, and nothing on it is made up."""

import ast
import re
from pathlib import Path

import pytest

from inkwash.cli.main import VERBS

ROOT = Path(__file__).parent.parent.parent
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
both = pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@both
def test_code_comes_early_and_the_page_is_short(readme: Path) -> None:
    lines = readme.read_text().splitlines()
    assert lines.index("```sh") + 2 <= 15
    assert len(lines) <= 150


def test_both_languages_hold_the_same_code_and_the_same_rows() -> None:
    english, chinese = (readme.read_text() for readme in READMES)
    for language in ("sh", "python"):
        assert blocks(english, language) == blocks(chinese, language)
    rows = [re.findall(r"^\|.*\|$", text, re.MULTILINE) for text in (english, chinese)]
    assert len(rows[0]) == len(rows[1])
    code = [[re.findall("`[^`]+`", row) for row in table] for table in rows]
    assert code[0] == code[1]


@both
def test_every_command_exists(readme: Path) -> None:
    text = readme.read_text()
    assert set(re.findall(r"\binkwash (\w+)", "\n".join(blocks(text, "sh")))) <= set(VERBS)
    assert set(re.findall(r"`inkwash (\w+)", text)) <= set(VERBS)


@both
def test_every_target_of_make_exists(readme: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)", readme.read_text())) <= targets


@both
def test_every_file_and_link_exists(readme: Path) -> None:
    text = readme.read_text()
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    assert [link for link in links if not (ROOT / link).exists()] == []
    named = re.findall(r"`([a-z]+(?:/[a-z_]+)*(?:/|\.py))`", text)
    assert named
    assert [name for name in named if not (ROOT / "src/inkwash" / name).exists()] == []


@both
def test_the_python_is_python_and_its_names_are_there(readme: Path) -> None:
    import inkwash
    from inkwash.pipeline.painter import Painter
    from inkwash.reverse.step import Step

    homes = {"inkwash": inkwash, "painter": Painter, "step": Step.__dataclass_fields__}
    for code in blocks(readme.read_text(), "python"):
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                home = homes[node.value.id]
                assert node.attr in home if isinstance(home, dict) else hasattr(home, node.attr)
