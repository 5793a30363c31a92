from dataclasses import replace

import pytest
import torch

from benchmarks.settings import QUICK
from benchmarks.timing import Times
from benchmarks.training import SCRIPT, row, threaded, trainers


@pytest.mark.parametrize(
    ("imitated", "ratios"), [(False, ("2.00 ×", "3.00 ×", "4.00 ×")), (True, ("2.00 ×", "4.00 ×"))]
)
def test_a_row_compares_with_all_of_diffusers(
    imitated: bool, ratios: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.settings.only_float32", lambda: imitated)
    names = ("diffusers network, float32", "diffusers network, bfloat16", SCRIPT)
    times = {name: Times((seconds,)) for name, seconds in zip(names, (2.0, 3.0, 4.0), strict=True)}
    times["inkwash"] = Times((1.0,))
    assert row("inkwash", times, replace(QUICK, batch=8, lessons=2)) == ("inkwash", "16.0", "1–1", *ratios)


def test_a_turn_has_its_threads() -> None:
    before, seen = torch.get_num_threads(), []
    threaded(lambda: seen.append(torch.get_num_threads()), before + 1)()
    torch.set_num_threads(before)
    assert seen == [before + 1]


@pytest.mark.parametrize("imitated", [False, True])
def test_a_trainer_of_every_type_that_the_processor_has(imitated: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.settings.only_float32", lambda: imitated)
    types = ("float32",) if imitated else ("float32", "bfloat16")
    before = torch.get_num_threads()
    with trainers(QUICK, 1) as turns:
        assert list(turns) == [f"inkwash trainer, {each}, 1 process" for each in types]
    with trainers(QUICK, 2) as turns:
        assert len(turns) == 2 * len(types)
    torch.set_num_threads(before)
