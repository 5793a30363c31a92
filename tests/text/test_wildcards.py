from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkwash.errors import InvalidRequest
from inkwash.text.wildcards import Files, expanded

FILES: Files = {
    "animal": ("cat", "dog"),
    "animals/cats": ("Siamese",),
    "animals/dogs": ("pug",),
    "scene": ("__animal__ in {ink|oil}",),
    "loop": ("a __loop__",),
    "ping": ("__pong__",),
    "pong": ("__ping__",),
    "bomb0": ("{|}{|}{|}{|}{|}{|}{|}{|}{|}{|}",),
    **{f"bomb{n}": (f"__bomb{n - 1}__" * 10,) for n in range(1, 8)},
    "long": ("x" * 9_000,),
}


def seen(text: str, times: int = 60) -> Counter[str]:
    return Counter(expanded(text, seed, FILES) for seed in range(times))


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        ("a {red|blue} cat", {"a red cat", "a blue cat"}),
        ("{a|{b|c}}", {"a", "b", "c"}),
        ("{a|}", {"a", ""}),
        ("{2$$a|b}", {"a, b", "b, a"}),
        ("{2$$ and $$a|b}", {"a and b", "b and a"}),
        ("{9$$a|b}", {"a, b", "b, a"}),
        ("{0-1$$a|b}", {"", "a", "b"}),
        ("{-1$$a|b}", {"", "a", "b"}),
        ("{1-$$a|b}", {"a", "b", "a, b", "b, a"}),
        ("{1$$a}", {"a"}),
        ("{0::a|b}", {"b"}),
        ("__animal__", {"cat", "dog"}),
        ("__animals/*__", {"Siamese", "pug"}),
        ("__scene__", {"cat in ink", "cat in oil", "dog in ink", "dog in oil"}),
        ("{__animal__|bird}", {"cat", "dog", "bird"}),
        ("{a}", {"{a}"}),
        ("{a|b", {"{a|b"}),
        ("a|b}", {"a|b}"}),
        (r"\{a|b\} \__animal\__", {r"\{a|b\} \__animal\__"}),
        ("[a|b] (c:1.2)", {"[a|b] (c:1.2)"}),
        ("_ __ ___ ____", {"_ __ ___ ____"}),
    ],
)
def test_all_choices_come_and_no_others(text: str, choices: set[str]) -> None:
    assert set(seen(text)) == choices


def test_weights_are_odds() -> None:
    found = seen("{3::a|b}", 800)
    assert 550 < found["a"] < 650


def test_the_same_seed_chooses_the_same() -> None:
    text = "{a|b|c} {2$$d|e|f} __scene__"
    assert [expanded(text, seed, FILES) for seed in range(5)] == [expanded(text, seed, FILES) for seed in range(5)]
    assert expanded("{a|b|c|d} {a|b|c|d}", 1) == "c b"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("__bird__", "the name of a wildcard file with lines: animal, animals/cats"),
        ("__../../etc/passwd__", "the name of a wildcard file"),
        ("__loop__", "does not lead back to itself"),
        ("__ping__", "does not lead back to itself"),
        ("__bomb7__", "at most 2000"),
        ("__long____long__", "at most 10000 characters"),
        ("{" * 40, "at most 32 deep"),
    ],
)
def test_what_has_no_end_is_refused(text: str, wanted: str) -> None:
    with pytest.raises(InvalidRequest, match=wanted):
        expanded(text, 0, FILES)


def test_without_files_there_are_no_wildcards() -> None:
    with pytest.raises(InvalidRequest, match="a folder to look for it"):
        expanded("__animal__", 0)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([*"{}|$-:_\\ab12", "__animal__", "2$$", "::", "{a|b}"]), max_size=30).map("".join))
def test_any_text_is_expanded_or_refused(text: str) -> None:
    with suppress(InvalidRequest):
        assert len(expanded(text, 3, FILES)) <= 10_000


@given(st.text(alphabet="abc ,.()[]:|<>#\n"))
def test_text_without_braces_stays(text: str) -> None:
    assert expanded(text, 0) == text
