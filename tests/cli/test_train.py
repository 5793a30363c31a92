"""`inkwash train` as a user meets it."""

import os
import signal
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from PIL import Image

from inkwash.cli.learning import curves, recipe_of, shown
from inkwash.cli.main import main
from inkwash.cli.progress import bar
from inkwash.cli.train import StopSign, asked_to_stop
from inkwash.errors import InvalidRequest
from inkwash.training.log import read_log
from inkwash.training.looks import Painted, Saved, Validation
from inkwash.training.loop import Progress
from inkwash.training.objective import Lesson

COLOURS = ("red", "green", "blue", "white")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(24):
        colour = COLOURS[number % 4]
        Image.new("RGB", (20, 16), colour).save(folder / f"{number}.png")
        (folder / f"{number}.txt").write_text(f"a {colour} square")
    return folder


def test_one_command_trains_and_when_stopped_goes_on(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    command = ["train", "tiny", "--data", str(pictures), "--out", str(out), "--images", "48"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StopSign, "__call__", lambda sign: True)  # as if Ctrl-C had been pressed in the first step
        assert main(command) == 130
    said = capsys.readouterr().err
    assert "beginning, in torch." in said
    assert "the same command goes on" in said
    assert [line["images"] for line in read_log(out / "log.jsonl")] == [16]
    assert main(command) == 0
    assert "going on from" in capsys.readouterr().err
    steps = [line["images"] for line in read_log(out / "log.jsonl") if line["kind"] == "step"]
    assert steps == [16, 32, 48]
    assert (out / "bundle" / "model.json").is_file()
    assert (out / "sheets" / "000000000048.png").is_file()


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["tiniest", "--data", "."], "recipe is 'tiniest', but must be one of emoji, pets_autoencoder"),
        (["tiny"], "data is None, but must be a folder of pictures"),
        (["tiny", "--data", "nowhere"], "nowhere does not exist"),
        (["pets_predictor", "--data", "."], "autoencoder is None, but must be the file that"),
        (["tiny", "--data", ".", "--workers", "0"], "workers is 0, but must be a whole number from 1"),
        (
            ["tiny", "--data", ".", "--workers", "2", "--threads", "1"],
            "threads is 1, but must be a whole number from 2",
        ),
    ],
)
def test_what_cannot_be_trained_is_said_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], wanted: str
) -> None:
    assert main(["train", *words, "--out", str(tmp_path / "run")]) == 2
    assert wanted in capsys.readouterr().err


def test_the_first_signal_asks_and_the_second_insists() -> None:
    with asked_to_stop() as stop:
        assert not stop()
        os.kill(os.getpid(), signal.SIGINT)
        assert stop()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_what_happens_seldom_is_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    events = [Validation(8, {"loss": 0.5, "bins": [0.25, 0.75]}), Painted(8, tmp_path / "s.png"), Saved(8, tmp_path)]
    with bar("toy", 16) as line:
        assert list(shown(events, line)) == events
    said = capsys.readouterr().err
    assert "8: held out: loss 0.5000, bins 0.2500 0.7500" in said
    assert "8: painted" in said
    assert "8: saved" in said


def test_curves_for_tensorboard(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    drawn: list[tuple[str, float, int]] = []

    class Writer:
        def __init__(self, folder: str) -> None:
            assert folder == str(tmp_path / "tensorboard")

        def __enter__(self) -> "Writer":
            return self

        def __exit__(self, *_: object) -> None:
            drawn.append(("closed", 0, 0))

        def add_scalar(self, name: str, value: float, images: int) -> None:
            drawn.append((name, value, images))

    fake = ModuleType("torch.utils.tensorboard")
    fake.SummaryWriter = Writer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, fake.__name__, fake)
    with curves(tmp_path) as draw:
        draw(Progress(8, Lesson(torch.tensor([0.5]), torch.ones(1)), 2.0, 0.125))
        draw(Validation(8, {"loss": 0.5, "bins": [0.25]}))
        draw(Saved(8, tmp_path))
    steps = [("loss", 0.5, 8), ("norm", 2.0, 8), ("rate", 0.125, 8)]
    assert drawn == [*steps, ("held out/loss/0", 0.5, 8), ("held out/bins/0", 0.25, 8), ("closed", 0, 0)]


def test_tensorboard_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(InvalidRequest, match="pip install"), curves(tmp_path):
        pass


def test_a_recipe_may_be_shortened() -> None:
    recipe = recipe_of("tiny", 160)
    assert recipe.config is not None
    assert recipe.config.images == 160
