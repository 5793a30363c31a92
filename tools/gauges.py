"""How the code measures up: the gauges of a codebase that is pleasant to read, beside their targets."""

import ast
import io
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Measure:
    """One function: how long it is and what it takes."""

    name: str
    lines: int
    parameters: int
    typed: int
    kwargs: bool


def measures(source: str) -> Iterator[Measure]:
    """Every function of a module; `self` and `cls` are not counted."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, Function):
            every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            taken = [argument for argument in every if argument.arg not in ("self", "cls")]
            typed = sum(argument.annotation is not None for argument in taken)
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            yield Measure(node.name, lines, len(taken), typed, node.args.kwarg is not None)


def comments(source: str) -> int:
    """Lines that hold a comment."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return sum(token.type == tokenize.COMMENT for token in tokens)


def percentile(values: list[int], part: float) -> int:
    """The smallest value that at least `part` of all do not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[max(-int(-part * len(ordered) // 1), 1) - 1] if ordered else 0


def report(sources: list[str], tests: list[str]) -> list[tuple[str, str, str]]:
    """Rows of gauge, value, target."""
    functions = [measure for source in sources for measure in measures(source)]
    lengths = [function.lines for function in functions]
    longest = max(functions, key=lambda function: function.lines)
    widest = max(functions, key=lambda function: function.parameters)
    taken = sum(function.parameters for function in functions)
    lines, tested = (sum(len(text.splitlines()) for text in part) for part in (sources, tests))
    return [
        ("lines of source", f"{lines:,}", ""),
        ("tests ÷ source", f"{tested / lines:.2f}", "≥ 1.0"),
        ("comments", f"{sum(map(comments, sources)) / lines:.1%}", ""),
        ("function length, median", f"{percentile(lengths, 0.5)}", ""),
        ("function length, p95", f"{percentile(lengths, 0.95)}", "≤ 40"),
        ("longest function", f"{longest.lines} ({longest.name})", "≤ 60"),
        ("most parameters", f"{widest.parameters} ({widest.name})", "≤ 6"),
        ("typed parameters", f"{sum(function.typed for function in functions) / max(taken, 1):.1%}", "100 %"),
        ("functions with **kwargs", f"{sum(function.kwargs for function in functions)}", "0"),
        ("longest file", f"{max(len(source.splitlines()) for source in sources)}", "≤ 200, networks ≤ 260"),
    ]


def main() -> int:
    """Print the table."""
    sources, tests = (
        [path.read_text() for path in sorted((ROOT / folder).rglob("*.py"))] for folder in ("src", "tests")
    )
    for gauge, value, target in report(sources, tests):
        print(f"{gauge:26} {value:>28}   {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
