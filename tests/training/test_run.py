"""A run: what happens when, and what it leaves."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from inkwash.errors import InvalidRequest
from inkwash.training.config import TrainConfig
from inkwash.training.log import read_log
from inkwash.training.looks import Painted, Saved, Validation
from inkwash.training.loop import Progress
from inkwash.training.predictor_course import PredictorCourse
from inkwash.training.run import Event, Habits, Timer, chosen_precision, due, prepare, run
from inkwash.weights.files import read


@pytest.fixture
def course(course: PredictorCourse, config: TrainConfig) -> PredictorCourse:
    return replace(course, config=replace(config, images=32, validate_every=16, prompts=("a red", "a blue")))


def happened(course: PredictorCourse, out: Path, habits: Habits | None = None) -> list[Event]:
    return list(run(prepare(course, out), out, habits or Habits()))


def test_a_whole_run(course: PredictorCourse, tmp_path: Path) -> None:
    out = tmp_path / "run"
    events = happened(course, out)
    assert [event.images_seen for event in events if isinstance(event, Progress)] == [8, 16, 24, 32]
    assert [event.images_seen for event in events if isinstance(event, Validation)] == [16, 32]
    (painted,) = (event for event in events if isinstance(event, Painted))
    assert painted.path.is_file()
    (saved,) = (event for event in events if isinstance(event, Saved))
    assert saved.path.name == "000000000032"
    kept = read(out / "predictor.safetensors")
    assert kept.metadata["images"] == "32"
    assert kept.metadata["target"] == "flow"
    assert "conv_in.weight" in kept.tensors
    assert len(list((out / "snapshots").iterdir())) == 2


def test_a_run_that_was_stopped_goes_on(course: PredictorCourse, tmp_path: Path) -> None:
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    happened(course, whole)
    plan = prepare(course, halves)
    for event in run(plan, halves, Habits(), stop=lambda: True):
        assert event.images_seen == 8
    assert [event.images_seen for event in happened(course, halves) if isinstance(event, Progress)] == [16, 24, 32]
    assert (halves / "log.jsonl").read_text() == (whole / "log.jsonl").read_text()
    assert happened(course, halves, Habits())[0] == Saved(32, halves / "checkpoints" / "000000000032")


def test_another_config_in_the_same_folder_is_refused(course: PredictorCourse, tmp_path: Path) -> None:
    prepare(course, tmp_path / "run")
    with pytest.raises(InvalidRequest, match=r"caption_dropout is 0\.5, but must be 0\.1 as when this run began"):
        prepare(replace(course, config=replace(course.config, caption_dropout=0.5)), tmp_path / "run")
    with pytest.raises(InvalidRequest, match="words is"):
        prepare(replace(course, words=tmp_path / "other"), tmp_path / "run")


def test_workers_must_divide_the_batch(course: PredictorCourse, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="workers is 3"):
        happened(course, tmp_path / "run", Habits(workers=3))


def test_the_precision_is_raced_once_and_kept(course: PredictorCourse, tmp_path: Path) -> None:
    assert chosen_precision(course) == torch.float32
    raced = replace(course, config=replace(course.config, precision="auto"))
    assert chosen_precision(raced, laps=1) in (torch.float32, torch.bfloat16)
    half = replace(course, config=replace(course.config, precision="bfloat16"))
    happened(replace(half, config=replace(half.config, images=8)), tmp_path / "run")
    assert prepare(half, tmp_path / "run").precision == torch.bfloat16
    assert all(line["loss"] < 10 for line in read_log(tmp_path / "run" / "log.jsonl") if line["kind"] == "step")


def test_what_is_due_when() -> None:
    assert [images for images in range(8, 65, 8) if due(images, 20, 8)] == [24, 40, 64]
    assert not Timer(None).rings()
    timer = Timer(0.0)
    assert timer.rings()
    assert timer.rings()
    assert not Timer(10.0).rings()
