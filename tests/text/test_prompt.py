from contextlib import suppress
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkwash.errors import InvalidRequest
from inkwash.text import grammar
from inkwash.text.prompt import is_plain, number, parse, parse_unwanted, render, shown
from inkwash.text.timeline import Pass, timeline
from inkwash.text.tree import (
    MODES,
    STRONGER,
    WEAKER,
    Alternated,
    Break,
    Content,
    Edited,
    Lora,
    Mode,
    Node,
    Part,
    Prompt,
    Text,
    Weighted,
    When,
    joined,
)

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.txt"))
SIGNS = "()[]:|\\<>#{}_ \nab0.5,+-"
WORDS = ["AND", "BREAK", " AND ", " BREAK ", "[a:b:0.5]", "(a:1.2)", "[a|b]", "<lora:a:1>", "<b:", ":0.5]", "# ", "\\"]
nasty = st.lists(st.sampled_from(WORDS) | st.text(SIGNS, max_size=5), max_size=30).map("".join)
modes = st.sampled_from(MODES)


def content(text: str) -> Content:
    (part,) = parse(text).parts
    return part.content


def a(text: str) -> Content:
    return (Text(text),) if text else ()


def edited(before: str, after: str, moment: int | float, counted: bool = False) -> Content:
    return (Edited(a(before), a(after), When(float(moment), counted)),)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a cat", a("a cat")),
        ("", ()),
        ("(a)", (Weighted(a("a"), STRONGER),)),
        ("((a))", (Weighted((Weighted(a("a"), STRONGER),), STRONGER),)),
        ("[a]", (Weighted(a("a"), WEAKER),)),
        ("(a:1.3)", (Weighted(a("a"), 1.3),)),
        ("(a: .5 )", (Weighted(a("a"), 0.5),)),
        ("(a:-1)", (Weighted(a("a"), -1.0),)),
        ("(a:0)", (Weighted(a("a"), 0.0),)),
        ("(x:y:1.2)", (Weighted(a("x:y"), 1.2),)),
        ("(a:1.2.3)", (Weighted(a("a:1.2.3"), STRONGER),)),
        ("(a:1e9)", (Weighted(a("a:1e9"), STRONGER),)),
        ("()[]", ()),
        ("(a", a("(a")),
        ("a) :]", a("a) :]")),
        ("(a] b)", (Weighted(a("a] b"), STRONGER),)),
        (":( [a]", (Text(":( "), Weighted(a("a"), WEAKER))),
        (r"\(a\) \[b\] \\", a(r"(a) [b] " + "\\")),
        (r"a\b", a(r"a\b")),
        ("[a:b:0.5]", edited("a", "b", 0.5)),
        ("[a:b:5]", edited("a", "b", 5, counted=True)),
        ("[a:b: 5. ]", edited("a", "b", 5.0)),
        ("[a:0.5]", edited("", "a", 0.5)),
        ("[a::0.5]", edited("a", "", 0.5)),
        ("[::1]", edited("", "", 1, counted=True)),
        ("[a:b]", (Weighted(a("a:b"), WEAKER),)),
        ("[a:-1]", (Weighted(a("a:-1"), WEAKER),)),
        ("[a:b:c:0.5]", (Weighted(a("a:b:c:0.5"), WEAKER),)),
        ("[a|b]", (Alternated((a("a"), a("b"))),)),
        ("[a||b|]", (Alternated((a("a"), (), a("b"), ())),)),
        ("[a|b:0.5]", (Alternated((a("a"), a("b:0.5"))),)),
        ("a | b", a("a | b")),
        ("a BREAK b", (Text("a"), Break(), Text("b"))),
        ("(a BREAK b:1.3)", (Weighted((Text("a"), Break(), Text("b")), 1.3),)),
        ("BREAKFAST break", a("BREAKFAST break")),
        (r"a \BREAK b", a("a BREAK b")),
        ("(a AND b)", (Weighted(a("a AND b"), STRONGER),)),
        ("a at 10:30", a("a at 10:30")),
        ("<b> & <c:d>", a("<b> & <c:d>")),
        (r"\<lora:x:1>", a("<lora:x:1>")),
        ("a # b\nc", a("a \nc")),
        ("# whole line\nc", a("c")),
        ("C# #1 \\# d", a("C# #1 # d")),
    ],
)
def test_every_sign_has_one_meaning(text: str, tree: Content) -> None:
    assert content(text) == tree
    assert content(shown(tree)) == tree


def test_edits_alternations_and_weights_nest() -> None:
    inner = Edited(a("b"), (Alternated((a("c"), (Weighted(a("d"), 2.0),))),), When(3.0, counted=True))
    assert content("(a [b:[c|(d:2)]:3]:1.5)") == (Weighted((Text("a "), inner), 1.5),)


def test_and_joins_prompts_outside_brackets_and_weighs_them() -> None:
    found = parse("a cat AND a dog :0.5 AND b :  -2  AND (c AND d)")
    assert [part.weight for part in found.parts] == [1.0, 0.5, -2.0, 1.0]
    assert [shown(part.content) for part in found.parts] == ["a cat", "a dog", "b", r"(c \AND d)"]
    assert parse(r"a \AND b").parts == (Part(a("a AND b")),)
    assert parse("SANDY ANDES and").parts == (Part(a("SANDY ANDES and")),)


def test_adapters_are_taken_out_by_name_with_both_weights() -> None:
    found = parse("a <lora:ink> b<lyco:wash:0.8><lora:x:0.5:0.25><lora:y:te=0:unet=2:dyn=8>")
    assert found.loras == (Lora("ink"), Lora("wash", 0.8, 0.8), Lora("x", 0.5, 0.25), Lora("y", 0.0, 2.0, 8))
    assert content("a <lora:ink>") == a("a ")


@pytest.mark.parametrize("mode", ["native", "a1111"])
@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("<hypernet:ink:1>", "free of hypernetworks"),
        ("<lora:../../etc/x:1>", "bare name"),
        ("<lora::1>", "bare name"),
        ("<lora:x:much>", "numbers for weights"),
        ("<lora:x:nan>", "numbers from -10000"),
        ("<lora:x:dyn=0>", "a rank from 1"),
        ("(a:99999)", "numbers from -10000"),
        ("(a:" + "9" * 400 + ")", "numbers from -10000"),
        ("[a:99999]", "numbers from -10000"),
        ("((a:2000):2000)", "numbers from -10000"),
        ("(" * 65 + "a" + ")" * 65, "at most 64 deep"),
    ],
)
def test_what_cannot_be_followed_is_refused_in_one_line(mode: Mode, text: str, wanted: str) -> None:
    with pytest.raises(InvalidRequest, match=wanted) as raised:
        timeline(parse(text, mode), Pass(2))
    assert raised.value.field == "prompt"
    assert "\n" not in str(raised.value)


def test_literal_prompts_have_no_signs() -> None:
    assert parse("(a [b|c] AND <hypernet:x:1>", "literal").parts == (Part(a("(a [b|c] AND <hypernet:x:1>")),)


def test_what_is_not_wanted_is_one_prompt() -> None:
    for text in ("a AND b", "a <lora:x:1>"):
        with pytest.raises(InvalidRequest, match="one way to go away from"):
            parse_unwanted(text)
    assert parse_unwanted("a AND b:2", "a1111").parts == (Part(a("a AND b:2")),)


@pytest.mark.parametrize(
    ("text", "plain"),
    [("a cat, 10:30", True), ("", True), ("(a)", False), ("a AND b", False), ("a <lora:x>", False), (r"\(", False)],
)
def test_a_plain_prompt_means_itself(text: str, plain: bool) -> None:
    assert is_plain(text) == plain


Plan = tuple[object, ...]
"""What a node is made of: built inside the tests, where its types may be checked at random."""


def built(plans: list[Plan]) -> Content:
    """Content as the parser gives it: no text beside text, no blanks beside breaks, no empty brackets."""
    return grammar.settled(joined(node for plan in plans for node in node_of(*plan)))


def node_of(kind: str, first: Any, second: Any = None, third: Any = None) -> list[Node]:
    match kind:
        case "text":
            return [Text(first)]
        case "break":
            return [Break()]
        case "weighted":
            inside = built(first)
            return [Weighted(inside, second)] if inside else []
        case "edited":
            return [Edited(built(first), built(second), When(*third))]
    return [Alternated(tuple(built(choice) for choice in first))]


weights = st.floats(-100, 100, allow_nan=False)
moments = st.tuples(st.floats(0, 2), st.just(False)) | st.tuples(st.integers(0, 99).map(float), st.just(True))
leaves = st.tuples(st.just("text"), st.text(SIGNS + "ABDEKNR", max_size=6)) | st.just(("break", None))
plans = st.recursive(
    st.lists(leaves, max_size=3),
    lambda inner: st.lists(
        leaves
        | st.tuples(st.just("weighted"), inner, weights | st.just(STRONGER))
        | st.tuples(st.just("edited"), inner, inner, moments)
        | st.tuples(st.just("alternated"), st.lists(inner, min_size=2, max_size=3)),
        max_size=3,
    ),
    max_leaves=8,
)
tags = st.tuples(st.text("ab -.", min_size=1).map(lambda s: f"x{s}x"), weights, weights, st.none() | st.just(4))


@settings(max_examples=100, deadline=None)
@given(plans, st.lists(tags, max_size=2))
def test_a_tree_survives_as_text(plan: list[Plan], loras: list[tuple[str, float, float, int | None]]) -> None:
    prompt = Prompt((Part(built(plan)),), tuple(Lora(*tag) for tag in loras))
    assert repr(parse(render(prompt))) == repr(prompt)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(plans, weights), min_size=2, max_size=3))
def test_joined_prompts_survive_as_text(several: list[tuple[list[Plan], float]]) -> None:
    prompt = Prompt(tuple(Part(grammar.stripped(built(plan)), weight) for plan, weight in several))
    assert repr(parse(render(prompt))) == repr(prompt)


def followed(text: str, mode: Mode, walk: Pass) -> Prompt | None:
    """The prompt, once it was walked through; None if it was refused in one line."""
    try:
        prompt = parse(text, mode)
        parse_unwanted(text, mode)
        way = timeline(prompt, walk)
    except InvalidRequest as error:
        return None if "\n" not in str(error) else pytest.fail(str(error))
    assert [len(moment) for moment in way] == [len(prompt.parts)] * walk.steps
    return prompt


@settings(max_examples=100, deadline=None)
@given(st.text() | nasty, modes, st.booleans())
def test_any_text_parses_or_is_refused_in_one_line(text: str, mode: Mode, twice: bool) -> None:
    prompt = followed(text, mode, Pass(5, 5, 1) if twice else Pass(5))
    assert prompt is None or mode != "native" or parse(render(prompt)) == prompt


@settings(max_examples=100, deadline=None)
@given(st.text() | nasty)
def test_escaped_text_means_itself(text: str) -> None:
    assert content(grammar.escaped(text)) == a(text)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
@pytest.mark.parametrize("mode", MODES)
def test_the_corpus_parses_or_is_refused_in_one_line(path: Path, mode: Mode) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        followed(file.read(), mode, Pass(4))


HOSTILE = [*"()[]:| \\", "((a)", "[a:", "[a|", "[a:b:1]", "<a:", "<a:b", "a AND ", "BREAK ", "#\n", " # "]


@pytest.mark.parametrize("mode", ["native", "a1111"])
@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile_text_takes_time_in_proportion(unit: str, mode: Mode) -> None:
    def seconds(length: int) -> float:
        begun = process_time()
        with suppress(InvalidRequest):
            parse((unit * length)[:length], mode)
        return process_time() - begun

    short, long = (min(seconds(length) for _ in range(2)) for length in (2_000, 8_000))
    assert long < 9 * short + 0.3  # 4 times as long is 16 times as slow where time is quadratic


def test_numbers_are_written_without_exponents() -> None:
    assert [number(each) for each in (0.5, 1e-7, 1e16, 2.0, -0.25)] == [
        "0.5",
        "0.0000001",
        "10000000000000000.0",
        "2.0",
        "-0.25",
    ]
