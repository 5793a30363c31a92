"""Every input that was worth keeping, read again by the reader it was made for; see tools/fuzz.py."""

from pathlib import Path

import pytest

from inkwash.weights.header import Entry, Header
from tools import fuzz

INPUTS = [(target, path) for target in fuzz.TARGETS for path in fuzz.corpus(target)]


@pytest.mark.parametrize(("target", "path"), INPUTS, ids=[f"{target}/{path.name}" for target, path in INPUTS])
def test_what_was_kept_is_read_or_refused_as_its_name_says(target: str, path: Path) -> None:
    assert fuzz.TARGETS[target](path.read_bytes()) is not path.name.startswith("bad-")


@pytest.mark.parametrize("target", fuzz.TARGETS)
def test_every_corpus_has_both(target: str) -> None:
    names = [path.name for path in fuzz.corpus(target)]
    refused = {False} if target == "prompt" else {True, False}  # any text is a prompt
    assert {name.startswith("bad-") for name in names} == refused
    assert all(path.stat().st_size <= fuzz.LONGEST for path in fuzz.corpus(target))


@pytest.mark.parametrize("target", fuzz.TARGETS)
def test_every_cut_of_what_was_kept(target: str) -> None:
    for path in fuzz.corpus(target):
        data = path.read_bytes()
        for size in range(0, len(data), max(1, len(data) // 8)):
            fuzz.TARGETS[target](data[:size])


def test_the_program_reads_the_corpus(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz.importlib.util, "find_spec", lambda _: None)
    assert fuzz.main(["infotext"]) == 0
    assert capsys.readouterr().out.endswith("kept inputs read\nno search: pip install atheris\n")


def test_a_bug_is_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = Header({"a": Entry("U8", (1,), 0, 10**6)}, {}, 8)
    monkeypatch.setattr(fuzz, "header", lambda _: wrong)
    with pytest.raises(AssertionError, match="outside the file"):
        fuzz.safetensors(b"x")
