"""Every example runs, with a model of noise in the place of the shipped one."""

import runpy
import shutil
from pathlib import Path

import pytest

from inkwash.weights import manifest

EXAMPLES = sorted((Path(__file__).parent.parent.parent / "examples").glob("*.py"))
NEEDS_MODEL = [path for path in EXAMPLES if "inkwash.load(" in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", NEEDS_MODEL, ids=lambda path: path.stem)
def test_examples_do_what_they_say(
    path: Path, tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(tiny_folder, tmp_path / "models/pets")
    monkeypatch.setattr(manifest, "MODELS", tmp_path / "models")
    monkeypatch.chdir(tmp_path)
    said = runpy.run_path(str(path))["__doc__"]
    assert capsys.readouterr().out
    assert all((tmp_path / name).is_file() for name in said.replace(",", " ").split() if name.endswith(".png"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_are_short_and_say_what_to_expect(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith('"""')
    assert len(text.splitlines()) <= 100
