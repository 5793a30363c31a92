from pathlib import Path

import pytest

from inkwash.cli.evaluate import EvaluateOptions, run, voice
from inkwash.cli.main import main
from inkwash.errors import InvalidRequest, OutputError


def test_refuses_at_once_what_would_fail_later(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="data is"):
        run(EvaluateOptions(data=tmp_path / "nowhere"))
    taken = tmp_path / "pets.json"
    taken.write_text("{}")
    with pytest.raises(OutputError, match="exists already"):
        run(EvaluateOptions(data=tmp_path, json=taken))
    with pytest.raises(InvalidRequest, match="recipe"):
        run(EvaluateOptions(data=tmp_path, recipe=tmp_path / "none.md"))
    with pytest.raises(InvalidRequest, match="pictures"):
        run(EvaluateOptions(data=tmp_path, pictures=3))


def test_one_line_and_exit_code_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "pets", "--data", str(tmp_path / "nowhere")]) == 2
    told = capsys.readouterr().err
    assert told.startswith("inkwash: data is")
    assert told.count("\n") == 1


def test_the_voice_takes_every_part_of_the_work() -> None:
    with voice() as told:
        told("painting", 3, 10)
        told("looking", 10, 10)
