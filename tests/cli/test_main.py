import subprocess
import sys
from types import ModuleType

import pytest

from inkwash import __version__
from inkwash.cli import main as main_module
from inkwash.cli.main import VERBS, complained, explained, main
from inkwash.cli.parsing import one_line
from inkwash.errors import Cancelled, InvalidRequest, OutputError, WeightsError


def test_help_lists_every_verb_with_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([], ["--help"], ["-h"], ["help"]):
        assert main(words) == 0
        out, err = capsys.readouterr()
        assert [name for name, verb in VERBS.items() if f"  {name:10} {verb.line}\n" not in out] == []
        assert not err
        assert max(map(len, out.splitlines())) <= 100


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"inkwash {__version__}\n"


@pytest.mark.parametrize(
    ("word", "hint"), [("pant", "; did you mean paint?"), ("agian", "; did you mean again?"), ("xyzzy", "evaluate\n")]
)
def test_an_unknown_verb(capsys: pytest.CaptureFixture[str], word: str, hint: str) -> None:
    assert main([word]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith(f"inkwash: verb is '{word}', but must be one of paint, again,")
    assert err.endswith(hint if hint.endswith("\n") else hint + "\n")


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InvalidRequest("steps", 0, "more"), 2, "steps is 0, but must be more"),
        (WeightsError("broken"), 3, "broken"),
        (MemoryError(), 4, "out of memory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), 4, "out of memory"),
        (OutputError("full"), 5, "full"),
        (Cancelled("stop"), 130, "stop"),
        (KeyError("x\ny"), 1, "a bug, sorry: KeyError"),
    ],
)
def test_every_error_has_its_line_and_code(error: Exception, code: int, line: str) -> None:
    said, found = explained(error)
    assert said.startswith(line)
    assert (found, "\n" in said) == (code, False)


def broken(error: BaseException) -> ModuleType:
    """A verb that raises."""
    module = ModuleType("broken")

    def run(options: int) -> None:
        raise error

    module.run = run  # type: ignore[attr-defined]
    return module


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (ZeroDivisionError("x"), 1)])
def test_no_error_leaves_a_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    monkeypatch.delenv("INKWASH_TRACEBACK", raising=False)
    monkeypatch.setattr(main_module, "import_module", lambda _: broken(error))
    assert main(["paint", "3"]) == code
    assert capsys.readouterr().err.count("\n") == 1


def test_unless_it_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INKWASH_TRACEBACK", "1")
    monkeypatch.setattr(main_module, "import_module", lambda _: broken(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        main(["paint", "3"])


def test_nothing_said_can_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert complained("a\x1b[2Jb\x07\nc 猫", 2) == 2
    assert capsys.readouterr().err == "inkwash: a [2Jb  c 猫\n"


def test_a_reader_that_leaves_early_is_no_error() -> None:
    command = f"{sys.executable} -m inkwash --help | head -c 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("i", "")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            "paint x --steps abc",
            "error parsing --steps: no type matching {None}|INT could be instantiated from ['abc']",
        ),
        ("paint x --preview foo", "invalid choice 'foo' for argument '--preview'. Expected one of ('auto', 'blocks',"),
        ("paint x --stepz 3", "unrecognized options: --stepz, 3"),
        ("paint x --steps", "missing value for argument '--steps'. Expected 1 values"),
        ("again", "missing from inkwash again: PATH A PNG from inkwash paint"),
    ],
)
def test_flags_that_do_not_fit_get_one_line(capsys: pytest.CaptureFixture[str], words: str, line: str) -> None:
    assert main(words.split()) == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith(f"inkwash: {line}")
    assert err.endswith(f"; see inkwash {words.split(maxsplit=1)[0]} --help\n")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "box",
    [
        "╭─ Value error ─╮\n│ Error parsing │\n│ --steps.      │\n│ ───────────── │\n│ Help          │\n",
        " Value error   \n -------------- \n  Error parsing \n  --steps. \n  ------------- \n  Help          \n",
        "\x1b[31m╭─ x ─╮\x1b[0m\n│ \x1b[1mError\x1b[0m parsing --steps │\n│                 │\n│ Got errors:     │\n",
    ],
)
def test_a_box_becomes_a_line(box: str) -> None:
    assert one_line(box) == "error parsing --steps"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_tells_its_options(capsys: pytest.CaptureFixture[str], verb: str) -> None:
    assert main([verb, "--help"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"usage: inkwash {verb} ")
    assert not err
