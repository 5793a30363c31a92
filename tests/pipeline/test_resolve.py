from dataclasses import fields, replace
from pathlib import Path

import pytest

from inkwash.errors import InvalidRequest
from inkwash.pipeline.engine import Engine
from inkwash.pipeline.resolve import resolved
from inkwash.request.generate import GenerateRequest
from inkwash.request.seeds import SEEDS, chosen_seed

OPTIONAL = {
    *("subseed", "image", "strength", "mask", "image_guidance", "weighting", "clip_skip"),
    *("prediction", "variant", "vae", "tokenizer", "base", "distilled"),
}


def test_the_model_answers_what_was_left_open(engine: Engine) -> None:
    full = resolved(GenerateRequest(prompt="a cat"), engine.bundle)
    assert {field.name for field in fields(full) if getattr(full, field.name) is None} == OPTIONAL
    assert (full.width, full.steps, full.sampler, full.guidance) == (32, 3, "euler", 2.0)


@pytest.mark.parametrize(
    ("prompt", "unwanted", "mode", "weighting"),
    [
        ("a cat", "", "literal", None),
        ("a cat", "a (dog)", "native", "a1111"),
        ("a [cat|dog]", "", "native", "a1111"),
        ("a cat: 9", "", "literal", None),
        ("a cat " * 20, "", "native", "a1111"),
    ],
)
def test_prompts_are_literal_where_that_is_what_they_mean(
    engine: Engine, prompt: str, unwanted: str, mode: str, weighting: str | None
) -> None:
    full = resolved(GenerateRequest(prompt=prompt, negative_prompt=unwanted), engine.bundle)
    assert (full.prompt_mode, full.weighting) == (mode, weighting)
    assert resolved(full, engine.bundle) == full


def test_what_was_said_stays(engine: Engine) -> None:
    asked = GenerateRequest(width=40, steps=9, sampler="heun", guidance=0.0, negative_prompt="", seed=0)
    full = resolved(asked, engine.bundle)
    assert (full.width, full.steps, full.sampler, full.guidance, full.seed) == (40, 9, "heun", 0.0, 0)


def test_a_resolved_request_has_nothing_left_to_resolve(engine: Engine) -> None:
    full = resolved(GenerateRequest(subseed_strength=0.5, image=Path("a.png"), mask=Path("b.png")), engine.bundle)
    assert resolved(full, engine.bundle) == full
    assert full.strength == 1.0
    assert resolved(replace(full, mask=None, strength=None), engine.bundle).strength == 0.75


@pytest.mark.parametrize("seed", [None, -1])
def test_random_seeds_are_recorded_and_differ(seed: int | None) -> None:
    found = {chosen_seed(seed) for _ in range(20)}
    assert len(found) > 15
    assert all(0 <= each < SEEDS for each in found)


def test_seed_zero_is_a_seed() -> None:
    assert chosen_seed(0) == 0


@pytest.mark.parametrize("side", ["width", "height"])
def test_sizes_that_the_latents_cannot_have(engine: Engine, side: str) -> None:
    with pytest.raises(InvalidRequest, match=rf"{side} is 33, but must be a multiple of 4"):
        resolved(replace(GenerateRequest(), **{side: 33}), engine.bundle)
