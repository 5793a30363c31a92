from dataclasses import replace

import torch

from benchmarks.settings import QUICK
from benchmarks.timing import Times
from benchmarks.training import SCRIPT, row, threaded, trainers


def test_a_row_compares_with_all_of_diffusers() -> None:
    names = ("diffusers network, float32", "diffusers network, bfloat16", SCRIPT)
    times = {name: Times((seconds,)) for name, seconds in zip(names, (2.0, 3.0, 4.0), strict=True)}
    times["inkwash"] = Times((1.0,))
    assert row("inkwash", times, replace(QUICK, batch=8, lessons=2)) == (
        *("inkwash", "16.0", "1–1", "2.00 ×", "3.00 ×", "4.00 ×"),
    )


def test_a_turn_has_its_threads() -> None:
    before, seen = torch.get_num_threads(), []
    threaded(lambda: seen.append(torch.get_num_threads()), before + 1)()
    torch.set_num_threads(before)
    assert seen == [before + 1]


def test_on_one_core_there_is_one_trainer() -> None:
    with trainers(QUICK, 1) as turns:
        assert list(turns) == ["inkwash trainer, 1 process"]
