import pytest
import torch

from benchmarks.settings import QUICK
from benchmarks.team import leading, stepping
from inkwash.training.workers import ALONE


def test_the_trainer_steps_when_it_has_its_turn() -> None:
    steps = stepping(QUICK, "float32", ALONE)
    assert [next(steps).images_seen for _ in range(3)] == [2, 4, 6]


@pytest.mark.parametrize("processes", [1, 2])
def test_turns_may_be_taken_again_and_again(processes: int) -> None:
    threads = torch.get_num_threads()
    with leading(QUICK, processes, "float32") as turn:
        turn()
        turn()
    torch.set_num_threads(threads)
