"""Averages of a width that is chosen afterwards."""

from pathlib import Path

import pytest
import torch
from torch import nn

from inkwash.errors import DataError
from inkwash.training.average import Average, Snapshot
from inkwash.training.posthoc import average_of_width, snapshots
from inkwash.weights.files import read, write

WIDTHS = (0.05, 0.10, 0.15)


def test_snapshots_become_the_average_that_was_not_kept(tmp_path: Path) -> None:
    chance = torch.Generator().manual_seed(0)
    model = nn.Linear(1, 1, bias=False)
    averages = {width: Average.of(model, width) for width in WIDTHS}
    for step in range(1, 1001):
        model.weight.data += 0.03 * torch.randn(1, 1, generator=chance) + 0.001
        for width, average in averages.items():
            average.update(model, step, 1)
            if step % 50 == 0 and width != 0.15:
                half = {"weight": average.weights["weight"].half()}
                write(tmp_path / f"{step:012d}-{width:.3f}.safetensors", half, {})
    found = average_of_width(tmp_path, 0.15)["weight"]
    torch.testing.assert_close(found, averages[0.15].weights["weight"], atol=0.01, rtol=0)
    assert (averages[0.15].weights["weight"] - averages[0.05].weights["weight"]).abs().item() > 0.05
    assert len(snapshots(tmp_path)) == 40
    early = average_of_width(tmp_path, 0.10, until=500)["weight"]
    kept = snapshots(tmp_path)[Snapshot(500, 0.1)]
    torch.testing.assert_close(early, read(kept).tensors["weight"].float(), atol=1e-3, rtol=0)


def test_nothing_to_choose_from(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no snapshots"):
        average_of_width(tmp_path, 0.1)
