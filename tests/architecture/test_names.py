"""What is public is documented, small, and found where it is said to be."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import inkwash

SOURCE = Path(inkwash.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))


@pytest.mark.parametrize("name", inkwash.__all__)
def test_public_names_are_there_and_documented(name: str) -> None:
    assert name == "SAMPLERS" or getattr(inkwash, name).__doc__  # a table's words stand below it
    assert name in dir(inkwash)


def test_public_names_are_few_and_others_are_missed() -> None:
    assert sorted(inkwash.__all__) == sorted(inkwash.HOMES)
    assert len(inkwash.__all__) <= 8
    with pytest.raises(AttributeError, match="no attribute 'paint'"):
        inkwash.paint  # type: ignore[attr-defined]  # noqa: B018


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            yield node


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_functions_fit_on_a_screen_and_take_no_kwargs(path: Path) -> None:
    assert [node.name for node in functions(path) if (node.end_lineno or 0) - node.lineno >= 60] == []
    assert [node.name for node in functions(path) if node.args.kwarg] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_globals_no_asserts_on_users_no_dynamic_code(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Global)]
    called = [node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    assert not {"eval", "exec", "__import__"} & set(called)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_nothing_is_ever_unpickled(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "import pickle" not in text
    assert all("weights_only=True" in line for line in text.splitlines() if "torch.load(" in line)
