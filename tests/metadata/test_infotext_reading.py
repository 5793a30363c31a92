from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkwash.metadata.infotext import parameters
from inkwash.metadata.infotext_reading import pairs, read_infotext
from inkwash.request.generate import GenerateRequest

LINE = "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5, Size: 512x768"


def test_prompts_and_settings_of_several_lines() -> None:
    found = read_infotext(f"a cat, \n asleep\nNegative prompt: blur\nink\n{LINE}")
    assert (found.prompt, found.negative_prompt) == ("a cat,\nasleep", "blur\nink")
    assert found.settings == {
        "Steps": "20",
        "Sampler": "Euler a",
        "CFG scale": "7",
        "Seed": "5",
        "Size": "512x768",
    }


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ('Lora hashes: "a: 1f, b: 2e", Seed: 1', {"Lora hashes": "a: 1f, b: 2e", "Seed": "1"}),
        (r'Hires prompt: "a\n\"b\", c: d", Steps: 2', {"Hires prompt": 'a\n"b", c: d', "Steps": "2"}),
        ('Note: "never ends, Seed: 1', {"Note": '"never ends', "Seed": "1"}),
        ('Note: "said" and more, Seed: 1', {"Note": '"said" and more', "Seed": "1"}),
        ("Empty: , Seed: 1", {"Seed": "1"}),
        ("a.b c: 1, x: 2", {"b c": "1"}),
        ("", {}),
        (":::,,:", {}),
        ("Hires steps: 5,Seed:6", {"Hires steps": "5", "Seed": "6"}),
    ],
)
def test_pairs_as_the_web_ui_reads_them(line: str, wanted: dict[str, str]) -> None:
    assert dict(pairs(line)) == wanted


@pytest.mark.parametrize("text", ["a cat", "a: b, cc: dd", "", "a cat\nSteps: 20, Seed: 5"])
def test_fewer_than_three_settings_are_words(text: str) -> None:
    found = read_infotext(text)
    assert (found.prompt, found.settings) == (text, {})


def test_a_line_that_begins_like_a_negative_prompt_is_one() -> None:
    found = read_infotext(f"a\nNegative prompt: b\nNegative prompt: c\n{LINE}")
    assert (found.prompt, found.negative_prompt) == ("a", "b\nc")


words = st.text("abc ,():[]|", min_size=1).map(str.strip)


@settings(max_examples=50, deadline=None)
@given(words, words)
def test_what_we_write_we_read(prompt: str, unwanted: str) -> None:
    asked = GenerateRequest(
        prompt=prompt,
        negative_prompt=unwanted,
        width=64,
        height=64,
        steps=9,
        seed=3,
        guidance=2.5,
        prompt_mode="literal",
    )
    found = read_infotext(parameters(asked, "my, model: 2", "0" * 64, "1"))
    assert (found.prompt, found.negative_prompt) == (prompt, unwanted)
    assert (found.settings["Model"], found.settings["CFG scale"]) == ("my, model: 2", "2.5")


@given(st.text())
def test_any_text_reads(text: str) -> None:
    found = read_infotext(text)
    assert all(found.settings.values())


@pytest.mark.parametrize("unit", ["a", "a:", ":", '"', 'a: "', "a: b,", " ", "a: \\"])
def test_hostile_lines_take_time_in_proportion(unit: str) -> None:
    begun = process_time()
    read_infotext((unit * 20_000)[:20_000])
    assert process_time() - begun < 2  # where time is quadratic it takes longer by far
