"""The measurement of memory, with a checkpoint that is small."""

from pathlib import Path

import pytest

from benchmarks.memory import POOL, main, noisy, pieces, tables, written
from inkwash.weights.choice import ModelChoice
from inkwash.weights.released import load_released


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that is measured finds the same inkwash."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent.parent / "src"))


def test_a_painting_is_measured(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["--models", "tiny", "--size", "16", "--place", str(tmp_path), "--folder", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    *_, row = told.strip().splitlines()
    model, side, steps, weights, files, peak = row.strip("| ").split(" | ")
    assert (model, side, steps, weights) == ("tiny", "16 px", "1", "file")
    assert 0 < float(files) < 0.1 < float(peak) < 2
    (kept,) = tmp_path.glob("*-memory-*.md")
    assert kept.read_text() + "\n" == told
    assert [path for path in tmp_path.iterdir() if path != kept] == []  # the checkpoint is gone


def test_the_noise_is_a_model(tmp_path: Path) -> None:
    bundle = load_released(ModelChoice(written(tmp_path / "x", "tiny")), "file")
    assert bundle.name == "x"
    assert bundle.predictor.conv_in.weight.shape[1] == 4  # type: ignore[union-attr, index]


@pytest.mark.parametrize(("model", "size"), [("sd1", 2.13e9), ("sdxl", 6.94e9)])
def test_the_large_ones_are_as_large_as_the_released(model: str, size: float) -> None:
    numbers = sum(slot.numel for slots in tables(model).values() for slot in noisy(slots).slots.values())  # type: ignore[arg-type]
    assert 2 * numbers == pytest.approx(size, rel=0.01)


def test_the_pool_is_used_again() -> None:
    pool = noisy({"a": (3,)})["a"]
    assert pool.shape == (3,)
    assert [len(part) for part in pieces(pool.repeat(POOL // 3 + 1)[:POOL], POOL + 5)] == [POOL, 5]
