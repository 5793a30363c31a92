"""The explained painting is the painting: what is shown is what happens."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from inkwash.errors import InvalidRequest
from inkwash.pipeline.engine import Engine
from inkwash.request.generate import GenerateRequest
from inkwash.show.explain import Explanation, explain, spread

PROMPT = "a photo of a beagle dog"


def asked(sampler: str, steps: int = 4, seed: int = 1) -> GenerateRequest:
    return GenerateRequest(prompt=PROMPT, sampler=sampler, steps=steps, seed=seed)


@pytest.fixture(scope="module")
def ancestral(engine: Engine) -> Explanation:
    return explain(engine, asked("euler_ancestral"), rows=4)


@pytest.mark.parametrize("sampler", ["euler_ancestral", "euler", "heun"])
def test_the_picture_is_the_one_that_paint_makes(engine: Engine, sampler: str) -> None:
    (painted,) = engine.paint(asked(sampler))
    found = explain(engine, asked(sampler), rows=2)
    assert found.painting.png() == painted.png()


def test_moments_are_the_steps(engine: Engine, ancestral: Explanation) -> None:
    steps = list(engine.stream(asked("euler_ancestral")))
    assert [moment.number for moment in ancestral.moments] == [1, 2, 3, 4]
    assert ancestral.steps == 4
    for moment, step in zip(ancestral.moments, steps, strict=True):
        before = step.x - step.drift - step.random
        assert moment.sigma == step.sigma
        assert moment.drift.length == pytest.approx(step.drift.norm().item())
        assert moment.random.length == pytest.approx(step.random.norm().item())
        assert moment.noise.length == pytest.approx((before - step.denoised).norm().item(), rel=1e-4)
        assert moment.clean.tobytes() == engine.look(step.denoised)[0].tobytes()


def test_the_last_prediction_is_the_painting(ancestral: Explanation) -> None:
    assert ancestral.moments[-1].clean.tobytes() == ancestral.painting.image.tobytes()


def test_a_deterministic_sampler_makes_no_random_move(engine: Engine) -> None:
    found = explain(engine, asked("euler"), rows=3)
    assert all(moment.random.picture is None and moment.random.length == 0 for moment in found.moments)
    assert all(moment.drift.picture is not None for moment in found.moments)


def test_every_word_has_its_looks(ancestral: Explanation) -> None:
    for moment in ancestral.moments:
        assert [word.word for word in moment.words] == PROMPT.split()
        looks = torch.stack([word.looks for word in moment.words])
        assert looks.shape[1:] == (moment.clean.height, moment.clean.width)
        assert looks.min() >= 0
        assert looks.sum(0).max() < 1, "begin and end are looked at, too"


def test_looks_are_of_one_step_alone(engine: Engine, ancestral: Explanation) -> None:
    """The last row is the same whether or not earlier steps were kept."""
    alone = explain(engine, asked("euler_ancestral"), rows=1)
    (last,) = alone.moments
    for mine, other in zip(last.words, ancestral.moments[-1].words, strict=True):
        assert torch.equal(mine.looks, other.looks)


def test_no_watcher_stays_behind(engine: Engine, ancestral: Explanation) -> None:
    assert ancestral.moments
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in engine.bundle.predictor.modules())


def test_without_words_there_are_no_looks(engine: Engine) -> None:
    found = explain(engine, GenerateRequest(prompt="", steps=2, seed=0), rows=2)
    assert all(moment.words == () for moment in found.moments)


def test_several_pictures_are_refused(engine: Engine) -> None:
    with pytest.raises(InvalidRequest, match="count is 2, but must be 1"):
        explain(engine, GenerateRequest(prompt=PROMPT, count=2), rows=2)


@settings(deadline=None)
@given(steps=st.integers(1, 60), rows=st.integers(1, 60))
def test_rows_are_spread_over_the_steps(steps: int, rows: int) -> None:
    numbers = spread(steps, rows)
    assert numbers[-1] == steps - 1
    assert len(numbers) == min(rows, steps)
    assert numbers == sorted(set(numbers))
    assert rows == 1 or numbers[0] == 0
