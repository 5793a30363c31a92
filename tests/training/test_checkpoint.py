"""Checkpoints are whole or not there, and bring back every bit."""

import errno
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import torch

from inkwash.errors import OutputError, WeightsError
from inkwash.training import checkpoint
from inkwash.training.config import OptimizerConfig, TrainConfig
from inkwash.training.lessons import batches
from inkwash.training.loop import train
from inkwash.training.predictor_course import PredictorCourse
from inkwash.training.run import Plan, begun
from inkwash.training.state import TrainState


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints"


def learned(
    course: PredictorCourse, steps: int, start: Path | None = None, precision: torch.dtype = torch.float32
) -> tuple[TrainState, list[float]]:
    state = begun(Plan(course, start, precision))
    lessons = batches(course.shelf, course.learn, course.config, state.images_seen)
    losses = [progress.loss for progress in islice(train(state, lessons, course.objective()), steps)]
    return state, losses


@pytest.mark.parametrize("kind", ["adamw", "muon"])
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_going_on_is_as_if_never_stopped(
    course: PredictorCourse, folder: Path, kind: str, precision: torch.dtype
) -> None:
    optimizer = OptimizerConfig(kind=kind, rate=1e-3, warm_up=16)  # type: ignore[arg-type]
    course = replace(course, config=replace(course.config, optimizer=optimizer))
    straight, losses = learned(course, 4, precision=precision)
    half, _ = learned(course, 2, precision=precision)
    place = checkpoint.save(folder, half)
    resumed, rest = learned(course, 2, place, precision)
    assert rest == losses[2:]
    for name, weight in straight.model.state_dict().items():
        assert torch.equal(weight, resumed.model.state_dict()[name])
        assert torch.equal(straight.averages[0].weights[name], resumed.averages[0].weights[name])


def test_nothing_in_it_can_hold_code(course: PredictorCourse, folder: Path) -> None:
    place = checkpoint.save(folder, learned(course, 1)[0])
    assert {file.suffix for file in place.iterdir()} == {".safetensors", ".json"}


def test_a_damaged_checkpoint_is_passed_over(course: PredictorCourse, folder: Path) -> None:
    state, _ = learned(course, 1)
    first = checkpoint.save(folder, state)
    state.images_seen += 8
    second = checkpoint.save(folder, state)
    file = second / "averages.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    said: list[str] = []
    assert checkpoint.newest(folder, said.append) == first
    assert len(said) == 1
    assert "averages.safetensors is missing or damaged" in said[0]
    (second / "manifest.json").unlink()
    assert checkpoint.newest(folder) == first


def test_only_the_newest_are_kept(course: PredictorCourse, folder: Path) -> None:
    state, _ = learned(course, 1)
    for images in (8, 16, 24):
        state.images_seen = images
        checkpoint.save(folder, state, keep=2)
    assert sorted(place.name for place in folder.iterdir()) == ["000000000016", "000000000024"]


def test_a_full_disk_leaves_the_last_checkpoint_whole(
    course: PredictorCourse, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, _ = learned(course, 1)
    first = checkpoint.save(folder, state)
    state.images_seen += 8

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint, "sync", full)
    with pytest.raises(OutputError, match="the disk is full"):
        checkpoint.save(folder, state)
    assert list(folder.iterdir()) == [first]
    checkpoint.verify(first)


def test_another_network_s_checkpoint_is_refused(course: PredictorCourse, folder: Path, config: TrainConfig) -> None:
    place = checkpoint.save(folder, learned(course, 1)[0])
    wider = replace(course, config=replace(config, predictor=replace(config.predictor, blocks=2)))
    with pytest.raises(WeightsError, match="does not fit this run"):
        begun(Plan(wider, place, torch.float32))
