import re

import pytest

from inkwash.metadata.infotext import parameters
from inkwash.request.generate import GenerateRequest
from inkwash.reverse.names import LABELS
from inkwash.reverse.registry import SAMPLERS

PAIR = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
ASKED = GenerateRequest(
    prompt="a photo of a cat,\nsleeping",
    negative_prompt="blur",
    width=128,
    height=64,
    steps=25,
    sampler="dpmpp_2m_sde",
    spacing="sgm_uniform",
    guidance=3.0,
    seed=7,
)


def test_the_text_as_other_programs_expect_it() -> None:
    assert parameters(ASKED, "pets", "0123456789abcdef", "0.1.0") == (
        "a photo of a cat,\nsleeping\nNegative prompt: blur\n"
        "Steps: 25, Sampler: DPM++ 2M SDE, Schedule type: SGM Uniform, CFG scale: 3, Seed: 7, Size: 128x64, "
        "Model hash: 0123456789, Model: pets, Version: inkwash 0.1.0"
    )


def test_the_last_line_parses_with_the_pattern_of_the_web_ui() -> None:
    line = parameters(ASKED, "my, model: 2", "0" * 64, "0.1.0").splitlines()[-1]
    pairs = dict(PAIR.findall(line))
    assert (pairs["Steps"], pairs["Seed"], pairs["Size"], pairs["Model"]) == ("25", "7", "128x64", '"my, model: 2"')


def test_variations_and_strength_are_told_and_nothing_is_none() -> None:
    from dataclasses import replace
    from pathlib import Path

    asked = replace(ASKED, negative_prompt="", subseed=9, subseed_strength=0.5, image=Path("a.png"), strength=0.6)
    text = parameters(asked, "pets", "", "0.1.0")
    assert "Variation seed: 9, Variation seed strength: 0.5, Denoising strength: 0.6" in text
    assert "None" not in text
    assert "Negative" not in text
    assert "hash" not in text


def test_how_words_were_read_is_told_where_others_have_a_name_for_it() -> None:
    from dataclasses import replace

    asked = replace(ASKED, clip_skip=2, weighting="plain")
    assert "Clip skip: 2, Emphasis: No norm, Version" in parameters(asked, "pets", "", "0.1.0")
    assert "Clip skip: 1, Emphasis: Comfy, Version" in parameters(
        replace(ASKED, clip_skip=1, weighting="comfy"), "pets", "", "0.1.0"
    )


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_has_the_name_people_know(sampler: str) -> None:
    assert sampler in LABELS
