"""The live display."""

import io

import pytest
from rich.console import Console

from inkwash.cli.progress import Bar, bar, display


def test_without_a_terminal_only_what_is_said_appears(capsys: pytest.CaptureFixture[str]) -> None:
    with bar("painting", 10) as line:
        line.at(5, "half done")
        line.say("a line [that] stays")
    assert capsys.readouterr().err == "a line [that] stays\n"


def test_on_a_terminal_the_bar_tells_how_far_it_is() -> None:
    screen = io.StringIO()
    with display(Console(file=screen, force_terminal=True, width=120), "painting", 10) as line:
        assert isinstance(line, Bar)
        line.at(5, "half done")
    assert "painting" in screen.getvalue()
    assert "5/10" in screen.getvalue()
    assert "half done" in screen.getvalue()
