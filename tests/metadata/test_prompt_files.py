from pathlib import Path

import pytest

from inkwash.errors import InvalidRequest
from inkwash.metadata.prompt_files import read_requests, requests_of
from inkwash.request.generate import GenerateRequest

BASE = GenerateRequest(seed=7, steps=3, negative_prompt="blur")


def test_a_prompt_a_line(tmp_path: Path) -> None:
    (tmp_path / "prompts.txt").write_text("\ufeffa cat\n\n# remark\n (a dog:1.2) \r\n", encoding="utf-8")
    found = read_requests(tmp_path / "prompts.txt", BASE)
    assert [request.prompt for request in found] == ["a cat", "(a dog:1.2)"]
    assert {request.seed for request in found} == {7}


def test_a_request_a_line() -> None:
    text = '{"prompt": "a cat", "steps": 9, "seed": null}\n"a dog"\n\n{"negative_prompt": ""}'
    assert requests_of(text, BASE, is_json=True) == (
        GenerateRequest(prompt="a cat", seed=7, steps=9, negative_prompt="blur"),
        GenerateRequest(prompt="a dog", seed=7, steps=3, negative_prompt="blur"),
        GenerateRequest(seed=7, steps=3, negative_prompt=""),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}\n{", "line 2 is '{', but must be a request in JSON"),
        ("[1]", "line 1 is .* an object with fields of a request"),
        ('\n\n{"steps": 0}', "line 3: steps is 0, but must be a whole number from 1"),
        ('{"promt": "a"}', "line 1: promt is 'a', but must be left out.*did you mean prompt"),
        ("[" * 100_000, "line 1 is .* a request in JSON"),
    ],
)
def test_the_line_that_is_wrong_is_named(text: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        requests_of(text, BASE, is_json=True)


def test_what_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="a text file in UTF-8"):
        read_requests(tmp_path / "none.txt", BASE)
