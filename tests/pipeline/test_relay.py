"""A refiner goes on where the model stops; the numbers are in test_against_diffusers.py."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from inkwash.errors import InvalidRequest, WeightsError
from inkwash.pipeline.engine import Engine
from inkwash.request.generate import GenerateRequest
from inkwash.request.refiner import Refiner
from inkwash.weights.bundle import load_bundle, save_bundle

CAT = GenerateRequest(prompt="a photo of a cat", seed=3, width=32, height=32, steps=5, guidance=2.0)


@pytest.fixture(scope="module")
def second(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model, a little further."""
    bundle = load_bundle(tiny_folder)
    with torch.no_grad():
        for weight in bundle.predictor.parameters():
            weight.mul_(1.01)
    folder = tmp_path_factory.mktemp("models") / "second"
    save_bundle(folder, replace(bundle, name="second"))
    return folder


@pytest.fixture
def asked(second: Path) -> GenerateRequest:
    return replace(CAT, refiner=Refiner(model=str(second), switch_at=0.7))


def test_steps_are_counted_on_and_the_beginning_is_the_same(engine: Engine, asked: GenerateRequest) -> None:
    alone, both = [*engine.stream(CAT)], [*engine.stream(asked)]
    assert [step.index for step in both] == [step.index for step in alone] == [0, 1, 2, 3, 4]
    same = [torch.equal(one.x, other.x) for one, other in zip(alone, both, strict=True)]
    assert same == [True, True, True, True, False]
    assert [step.sigma for step in both] == [step.sigma for step in alone]


def test_from_a_picture_too_late_to_switch_the_refiner_walks_alone(
    engine: Engine, asked: GenerateRequest, tmp_path: Path
) -> None:
    from PIL import Image

    Image.new("RGB", (32, 32), "red").save(tmp_path / "red.png")
    begun = replace(asked, image=tmp_path / "red.png", strength=0.2)
    assert [step.index for step in engine.stream(begun)] == [0]
    half = replace(begun, strength=0.6)
    assert [step.index for step in engine.stream(half)] == [0, 1, 2]


def test_it_is_opened_once_and_its_file_is_remembered(engine: Engine, asked: GenerateRequest) -> None:
    (batch,) = engine.batches([asked])
    second = engine.companions[asked.refiner.choice]
    assert batch.shared.refiner.sha256 == next(iter(second.bundle.files.values()))
    engine.batches([asked])
    assert engine.companions[asked.refiner.choice] is second
    other = replace(batch.shared, refiner=replace(batch.shared.refiner, sha256="0" * 64))
    with pytest.raises(WeightsError, match="it was refined by another second: its sha256 began with 0000000000"):
        engine.batches([other])


def test_other_noise_levels_are_refused(engine: Engine) -> None:
    with pytest.raises(InvalidRequest, match=r"refiner.model is 'pets', but must be one with the latents and noise"):
        engine.batches([replace(CAT, refiner=Refiner(model="pets"))])


@pytest.mark.parametrize("part", [0.0, 1.0, 2.0])
def test_there_must_be_something_for_both(part: float) -> None:
    with pytest.raises(InvalidRequest, match=r"refiner.switch_at is .*, but must be"):
        Refiner(model="a", switch_at=part)
