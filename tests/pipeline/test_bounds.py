"""Numbers beyond half precision: painted once more in float32, told, and painted again byte for byte."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from inkwash.device import Compute
from inkwash.errors import WeightsError
from inkwash.metadata.record import read_record
from inkwash.pipeline.bounds import finite
from inkwash.pipeline.engine import Engine
from inkwash.request.generate import GenerateRequest
from inkwash.weights.bundle import Bundle, load_bundle

CAT = GenerateRequest(prompt="a cat", seed=3, steps=2, width=16, height=16)
CPU = torch.device("cpu")
Poison = Callable[[Bundle], nn.Conv2d]
STEPS: Poison = lambda bundle: bundle.predictor.conv_in  # type: ignore[union-attr, return-value]
DECODING: Poison = lambda bundle: bundle.autoencoder.decoder.conv_in  # type: ignore[union-attr, return-value]


def poisoned(folder: Path, place: Poison, dtype: torch.dtype, factor: float = 1e6) -> Engine:
    """A model with one layer whose products are larger than half precision knows."""
    bundle = load_bundle(folder)
    place(bundle).weight.data *= factor
    return Engine(bundle, Compute(CPU, dtype))


@pytest.mark.parametrize(("place", "told"), [(STEPS, "steps"), (DECODING, "decoding")])
def test_what_half_precision_cannot_hold_is_painted_in_float32(
    tiny_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, place: Poison, told: str
) -> None:
    engine = poisoned(tiny_folder, place, torch.float16)
    with caplog.at_level(logging.WARNING):
        (painting,) = engine.paint(CAT)
    assert [record.message.partition("; ")[2] for record in caplog.records] == ["once more in float32"]
    assert (painting.record.widened, painting.record.dtype) == (told, "float16")
    wide = poisoned(tiny_folder, place, torch.float32).paint(CAT)[0]
    if told == "steps":  # the decoder still worked in float16
        assert finite(torch.frombuffer(bytearray(painting.image.tobytes()), dtype=torch.uint8).float())
    else:
        assert painting.image.size == wide.image.size
    assert wide.record.widened is None
    painting.save(tmp_path / "cat.png")
    record = read_record(tmp_path / "cat.png")
    assert record.widened == told
    again = poisoned(tiny_folder, place, torch.float16).paint(record.requests[0])[0]
    assert again.png() == (tmp_path / "cat.png").read_bytes()


def test_steps_in_float32_are_those_of_float32(tiny_folder: Path) -> None:
    short = list(poisoned(tiny_folder, STEPS, torch.float16).stream(CAT))
    wide = list(poisoned(tiny_folder, STEPS, torch.float32).stream(CAT))
    assert [step.index for step in short] == [0, 1]  # the first step failed already
    assert torch.equal(short[-1].x, wide[-1].x)


def test_only_the_batch_that_needs_it_is_painted_twice(tiny_folder: Path) -> None:
    engine = poisoned(tiny_folder, STEPS, torch.float16, 1.0)
    assert engine.paint(CAT)[0].record.widened is None
    assert "widened" not in engine.paint(CAT)[0].record.note()
    assert not engine.widened


@pytest.mark.parametrize("place", [STEPS, DECODING])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_what_float32_cannot_hold_is_an_error(tiny_folder: Path, place: Poison, dtype: torch.dtype) -> None:
    engine = poisoned(tiny_folder, place, dtype, float("nan"))
    with pytest.raises(WeightsError, match="tiny lost itself in numbers that are not finite, even in float32"):
        engine.paint(CAT)


def test_latents_from_elsewhere_are_looked_at_too(tiny_folder: Path) -> None:
    engine = poisoned(tiny_folder, STEPS, torch.float32, 1.0)
    (batch,) = engine.batches([replace(CAT, count=1)])
    with pytest.raises(WeightsError, match="not finite"):
        engine.finish(batch, torch.full((1, 4, 4, 4), torch.inf))


@pytest.mark.parametrize(
    ("numbers", "answer"), [([1.0, -1.0], True), ([1.0, torch.nan], False), ([3e38, 3e38], True), ([torch.inf], False)]
)
def test_finite(numbers: list[float], answer: bool) -> None:
    x: Tensor = torch.tensor(numbers)
    assert finite(x) is answer
