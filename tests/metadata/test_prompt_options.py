from typing import Any

import pytest

from inkwash.errors import InvalidRequest
from inkwash.metadata.prompt_files import lines_of, requests_of
from inkwash.metadata.prompt_options import options_of
from inkwash.request.generate import GenerateRequest
from inkwash.request.tiling import Tiling


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ('--prompt "a cat" --steps 20', {"prompt": "a cat", "steps": 20}),
        ("--prompt a red cat --negative_prompt 'no dog'", {"prompt": "a red cat", "negative_prompt": "no dog"}),
        ("--cfg_scale 4.5 --seed -1 --width 64 --height 32", {"guidance": 4.5, "seed": -1, "width": 64, "height": 32}),
        ('--sampler_name "DPM++ 2M Karras"', {"sampler": "dpmpp_2m", "spacing": "karras"}),
        ("--batch_size 2 --n_iter 3 --do_not_save_grid true", {"count": 6}),
        ("--tiling true --sd_model a.safetensors", {"tiling": {"seamless": "both"}, "model": "a.safetensors"}),
        ("--subseed 3 --subseed_strength 0.5", {"subseed": 3, "subseed_strength": 0.5}),
    ],
)
def test_options_of_the_web_ui(line: str, fields: dict[str, Any]) -> None:
    assert options_of(line) == fields


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a cat\n--stepz 3", "line 2: option is '--stepz', but must be one of prompt"),
        ("--steps many", "line 1: --steps is 'many', but must be a number"),
        ('--prompt "a', "line 1: line is .* quotes that end"),
        ("--sampler_name none such", "line 1: .*'none such'"),
        ("--steps 0", "line 1: steps is 0, but must be a whole number from 1"),
    ],
)
def test_options_that_cannot_be_followed_are_told_with_their_line(line: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        requests_of(line, GenerateRequest(), is_json=False)


def test_lines_of_options_are_requests() -> None:
    (found,) = requests_of("--prompt a cat --tiling true", GenerateRequest(seed=4), is_json=False)
    assert found == GenerateRequest(prompt="a cat", seed=4, tiling=Tiling(seamless="both"))


def test_keys_are_the_lines_own_or_the_same_at_every_reading() -> None:
    text = '{"prompt":"a","key":"one"}\n"b"\n"b"\n{"steps":0}\n{"prompt":"b","hires":{"scale":2}}'
    base = GenerateRequest(seed=1)
    first, second = (list(lines_of(text, base, is_json=True)) for _ in range(2))
    assert first[0] == second[0]
    assert (first[0].key, first[0].named) == ("one", True)
    keys = [line.key for line in first if line.request is not None]
    assert keys == [line.key for line in second if line.request is not None]
    assert len(set(keys)) == 4
    assert first[3].request is None
    assert "line 4: steps is 0" in str(first[3].wrong)
    other = list(lines_of(text, GenerateRequest(seed=2), is_json=True))
    assert other[1].key != first[1].key


def test_what_a_line_says_of_a_group_is_added_to_the_flags() -> None:
    from inkwash.request.hires import Hires

    (found,) = requests_of('{"hires":{"steps":3}}', GenerateRequest(hires=Hires(scale=2.0)), is_json=True)
    assert found.hires == Hires(scale=2.0, steps=3)
