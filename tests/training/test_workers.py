"""Workers that share a batch."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import Pipe
from pathlib import Path

import pytest
import torch
from torch import nn

from inkwash.errors import InkwashError
from inkwash.training.config import TrainConfig
from inkwash.training.log import read_log
from inkwash.training.objective import Lesson
from inkwash.training.predictor_course import PredictorCourse
from inkwash.training.run import Habits, prepare, run
from inkwash.training.workers import Team


def test_gradients_become_their_mean_everywhere() -> None:
    near, far = Pipe()
    board = torch.zeros(2, 6 + 2 * 3)
    teams = [Team(0, 2, board, (near,)), Team(1, 2, board, (far,))]
    layers = [nn.Linear(2, 2) for _ in teams]

    def share(rank: int) -> Lesson:
        for number, weight in enumerate(layers[rank].parameters()):
            weight.grad = torch.full_like(weight, float(10 * rank + number))
        mine = Lesson(torch.arange(3.0) + 3 * rank, torch.full((3,), rank + 1.0))
        return teams[rank].average(list(layers[rank].parameters()), mine)

    with ThreadPoolExecutor(2) as pool:
        lessons = list(pool.map(share, range(2)))
    for lesson, layer in zip(lessons, layers, strict=True):
        assert lesson.loss.tolist() == [0, 1, 2, 3, 4, 5]
        assert lesson.sigma.tolist() == [1, 1, 1, 2, 2, 2]
        assert layer.weight.grad is not None
        assert layer.weight.grad.unique().tolist() == [5]
        assert layer.bias.grad is not None
        assert layer.bias.grad.unique().tolist() == [6]


def test_work_is_spread_and_everybody_has_all_of_it() -> None:
    near, far = Pipe()
    board = torch.zeros(2, 40)
    teams = [Team(0, 2, board, (near,)), Team(1, 2, board, (far,))]
    given = [torch.full((2, 3), float(number)) for number in range(5)]
    done: list[list[float]] = [[], []]

    def squared(rank: int) -> list[torch.Tensor]:
        def work(each: torch.Tensor) -> torch.Tensor:
            done[rank].append(each[0, 0].item())
            return each**2

        return teams[rank].spread(work, given)

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(squared, range(2)))
    for each in found:
        assert [matrix.unique().tolist() for matrix in each] == [[0], [1], [4], [9], [16]]
    assert sorted(done[0] + done[1]) == [0, 1, 2, 3, 4]
    assert abs(len(done[0]) - len(done[1])) == 1


def test_the_end_of_one_is_the_end_of_all() -> None:
    near, far = Pipe()
    far.close()
    with pytest.raises(InkwashError, match="ended unexpectedly"):
        Team(0, 2, torch.zeros(2, 1), (near,)).meet()


def test_two_processes_learn_what_one_does(tmp_path: Path, course: PredictorCourse, config: TrainConfig) -> None:
    quiet, muon = replace(config.predictor, dropout=0.0), replace(config.optimizer, kind="muon")
    course = replace(course, config=replace(config, images=24, predictor=quiet, optimizer=muon))
    for workers in (1, 2):
        out = tmp_path / str(workers)
        for _ in run(prepare(course, out), out, Habits(workers=workers)):
            pass
    alone, together = ([line["loss"] for line in read_log(tmp_path / str(workers) / "log.jsonl")] for workers in (1, 2))
    assert len(together) == 3
    assert together == pytest.approx(alone, rel=1e-4)
