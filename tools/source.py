"""Pages show the real source, so they cannot rot: `::: source inkwash.forward.noising.add_noise` becomes that function.

A hook of mkdocs (see mkdocs.yml). The name leads to a module, a function, a class, a method or a constant.
"""

import ast
import re
from pathlib import Path

SRC = Path(__file__).parent.parent / "src"
DIRECTIVE = re.compile(r"^::: source ([\w.]+)$", re.MULTILINE)


def on_page_markdown(markdown: str, **_: object) -> str:
    """What mkdocs calls for every page, with arguments that are of no use here."""
    return DIRECTIVE.sub(lambda found: block(found[1]), markdown)


def block(name: str) -> str:
    """The source of `name` as a fenced block with its file and its line numbers.

    Raises LookupError if there is no such name.
    """
    file, inner = located(name)
    lines = file.read_text().splitlines()
    first, last = span(ast.parse("\n".join(lines)).body, inner) if inner else (1, len(lines))
    title = f"{file.relative_to(SRC.parent)}"
    body = "\n".join(lines[first - 1 : last])
    return f'```python title="{title}" linenums="{first}"\n{body}\n```'


def located(name: str) -> tuple[Path, list[str]]:
    """The file of a dotted name, and what is left of the name inside that file."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        path = SRC.joinpath(*parts[:count])
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.is_file():
                return file, parts[count:]
    raise LookupError(f"no module for {name}")


def span(body: list[ast.stmt], names: list[str]) -> tuple[int, int]:
    """First and last line of a name in a body, decorators and a string below a constant included."""
    for index, node in enumerate(body):
        if names[0] not in bound(node):
            continue
        if len(names) > 1 and isinstance(node, ast.ClassDef):
            return span(node.body, names[1:])
        first = min([node.lineno, *(mark.lineno for mark in getattr(node, "decorator_list", []))])
        return first, end(node, body[index + 1 : index + 2])
    raise LookupError(f"no {names[0]} there")


def bound(node: ast.stmt) -> set[str]:
    """The names that a statement binds."""
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Assign(targets=targets):
            return {target.id for target in targets if isinstance(target, ast.Name)}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
        case _:
            return set()


def end(node: ast.stmt, following: list[ast.stmt]) -> int:
    """The last line of a node; a constant takes its docstring, which stands below it, along."""
    match following:
        case [ast.Expr(value=ast.Constant(value=str()))] if isinstance(node, ast.Assign | ast.AnnAssign):
            return following[0].end_lineno or following[0].lineno
        case _:
            return node.end_lineno or node.lineno
