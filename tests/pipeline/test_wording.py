from dataclasses import replace

import pytest
import torch

from inkwash.denoiser import Denoiser
from inkwash.errors import InvalidRequest
from inkwash.pipeline.engine import Engine
from inkwash.pipeline.wording import calls, columns, levels, voice, worded, words_of
from inkwash.request.generate import GenerateRequest
from inkwash.types import Latents, Sigma

CAT = GenerateRequest(prompt="a photo of a cat", seed=3, steps=4, guidance=2.0)
SIGMAS = torch.tensor([8.0, 4.0, 2.0, 1.0, 0.0])


def last(engine: Engine, request: GenerateRequest) -> Latents:
    return list(engine.stream(request))[-1].x


def near(one: Latents, other: Latents) -> bool:
    return torch.allclose(one, other, rtol=1e-4, atol=1e-4)


def test_a_step_reaches_from_its_level_down_to_the_next() -> None:
    tick = levels(SIGMAS)
    assert [tick(torch.tensor(level)) for level in (9.0, 8.0, 4.1, 4.0, 3.0, 2.0, 1.0, 0.5)] == [0, 0, 0, 1, 1, 2, 3, 3]


def test_calls_are_counted_from_nothing() -> None:
    tick = calls()
    assert [tick(torch.tensor(1.0)) for _ in range(3)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("mode", "sampler", "prompt", "ticks"),
    [
        ("native", "euler", "[a cat:a dog:0.5]", (0, 0, 1, 1)),
        ("native", "heun", "[a cat:a dog:2]", (0, 0, 1, 1)),
        ("a1111", "euler", "[a cat:a dog:0.5]", (0, 0, 0, 1)),
        ("a1111", "heun", "[a cat:a dog:0.5]", (0, 0, 0, 0, 0, 1, 1, 1)),
        ("a1111", "heun", "[a cat:a dog:2]", (0, 0, 0, 1, 1, 1, 1, 1)),
        ("native", "euler", "[a cat|a dog]", (0, 1, 0, 1)),
        ("native", "euler", "a (cat)", (0, 0, 0, 0)),
        ("literal", "euler", "[a cat|a dog]", (0,)),
    ],
)
def test_what_is_said_when(engine: Engine, mode: str, sampler: str, prompt: str, ticks: tuple[int, ...]) -> None:
    asked = replace(CAT, prompt=prompt, prompt_mode=mode, sampler=sampler)
    found = voice(asked, engine.bundle.text, 4)
    assert found.ticks == ticks
    assert len(found.moments) == max(ticks) + 1
    assert found.at(99) == ticks[-1]


def test_the_denoiser_is_made_anew_only_where_words_change(engine: Engine) -> None:
    said: list[int] = []

    def guide(told: object) -> Denoiser:
        said.append(len(said))
        number = float(len(said))
        return lambda x, sigma: x * 0 + number

    asked = [replace(CAT, prompt="[a cat:a dog:2]"), replace(CAT, prompt="[a cat:a dog:3]")]
    denoise = worded(asked, engine.bundle.text, SIGMAS, guide)
    x = torch.ones(2, 4, 4, 4)
    assert [denoise(x, sigma).mean().item() for sigma in SIGMAS[:4]] == [1, 1, 2, 3]


def test_prompts_that_stay_need_no_clock(engine: Engine) -> None:
    def constant(x: Latents, sigma: Sigma) -> Latents:
        return x

    assert worded([CAT, replace(CAT, prompt="a (dog)")], engine.bundle.text, SIGMAS, lambda told: constant) is constant


def test_pictures_with_fewer_prompts_go_along_unchanged(engine: Engine) -> None:
    asked = [replace(CAT, prompt="a cat AND a dog :0.5"), replace(CAT, prompt="a cat")]
    told = [voice(each, engine.bundle.text, 4).moments[0] for each in asked]
    first, second, unwanted = columns(told)
    assert (first[1].tolist(), second[1].tolist()) == ([1.0, 1.0], [0.5, 0.0])
    assert len(unwanted[0]) == 2
    together = list(engine.stream(asked[0]))[-1].x
    (batch,) = engine.batches(asked)
    *_, step = engine.steps(batch)
    assert near(step.x[:1], together)
    assert near(step.x[1:], last(engine, asked[1]))


def test_a_prompt_and_itself_is_the_prompt(engine: Engine) -> None:
    halves = replace(CAT, prompt=f"{CAT.prompt} :0.5 AND {CAT.prompt} :0.5")
    assert near(last(engine, halves), last(engine, CAT))


def test_a_weight_of_nothing_takes_a_prompt_away(engine: Engine) -> None:
    assert near(last(engine, replace(CAT, prompt=f"{CAT.prompt} AND a dog :0")), last(engine, CAT))


def test_a_negative_weight_leads_away(engine: Engine) -> None:
    toward, away = (last(engine, replace(CAT, prompt=f"a cat AND a dog :{weight}")) for weight in (1, -1))
    assert not near(toward, away)


def test_an_edit_that_never_comes_or_was_always_there_is_a_plain_prompt(engine: Engine) -> None:
    dog = replace(CAT, prompt="a dog")
    assert near(last(engine, replace(CAT, prompt=f"[{CAT.prompt}:a dog:1.0]")), last(engine, CAT))
    assert near(last(engine, replace(CAT, prompt=f"[{CAT.prompt}:a dog:0]")), last(engine, dog))
    half = last(engine, replace(CAT, prompt=f"[{CAT.prompt}:a dog:0.5]"))
    assert not near(half, last(engine, CAT))
    assert not near(half, last(engine, dog))


def test_a_long_prompt_does_not_touch_its_neighbour(engine: Engine) -> None:
    long = replace(CAT, prompt="a photo of a cat " * 8)
    (batch,) = engine.batches([CAT, long])
    *_, step = engine.steps(batch)
    assert near(step.x[:1], last(engine, CAT))
    assert near(step.x[1:], last(engine, long))
    tail = replace(CAT, prompt="a photo of a cat " * 7 + "a photo of a beagle dog")
    assert not near(last(engine, tail), last(engine, long))


@pytest.mark.parametrize(("field", "value"), [("weighting", "comfy"), ("weighting", "plain"), ("weighting", "compel")])
def test_the_way_of_weighting_reaches_the_picture(engine: Engine, field: str, value: str) -> None:
    asked = replace(CAT, prompt="a photo of a (cat:0.4)")
    assert not near(last(engine, replace(asked, **{field: value})), last(engine, asked))  # type: ignore[arg-type]


def test_modes_that_count_differently_are_not_painted_together(engine: Engine) -> None:
    asked = [replace(CAT, prompt="[a|b]", prompt_mode=mode) for mode in ("native", "literal", "a1111")]
    assert [len(batch) for batch in engine.batches(asked)] == [2, 1]


def test_an_adapter_that_is_nowhere_is_refused(engine: Engine) -> None:
    with pytest.raises(InvalidRequest, match=r"'<lora:ink>', but must be the name of a file in --lora-dir or beside"):
        last(engine, replace(CAT, prompt="a cat <lora:ink:1>"))


def test_a_picture_of_signs_is_painted_again_byte_for_byte(engine: Engine) -> None:
    asked = replace(CAT, prompt="[a photo:(a painting:1.2):0.5] of a cat AND a dog :0.3", weighting="compel")
    (painting,) = engine.paint(asked)
    again = engine.batches(painting.record.requests)
    *_, step = engine.steps(again[0])
    (repainted,) = engine.finish(again[0], step.x)
    assert repainted.png() == painting.png()


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("a cat", ["a", "cat"]),
        ("a (cat:1.2)", ["a", "cat"]),
        ("[a|b] cat", []),
        ("a cat AND a dog", []),
        ("a BREAK cat", []),
        ("a c(at)", []),
        ("a photo " * 8, []),
    ],
)
def test_words_have_places_where_they_stay(engine: Engine, prompt: str, words: list[str]) -> None:
    tokenizer = engine.bundle.text.tokenizer
    found = words_of(replace(CAT, prompt=prompt), tokenizer)
    assert [word for word, _ in found] == words
    assert found == (tokenizer.words("a cat") if words else [])
    assert words_of(replace(CAT, prompt="(a)", prompt_mode="literal"), tokenizer) == tokenizer.words("(a)")
