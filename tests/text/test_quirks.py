"""What the web UI's own parser answered to the same texts (version 1.10, ten steps)."""

import pytest

from inkwash.errors import InvalidRequest
from inkwash.text.prompt import parse
from inkwash.text.quirks import emphasis, parts
from inkwash.text.timeline import Pass, ends, text_at
from inkwash.text.tree import Part, Text

SCHEDULES: list[tuple[str, list[tuple[int, str]]]] = [
    ("test", [(10, "test")]),
    ("a [b:3]", [(3, "a "), (10, "a b")]),
    ("a [b: 3 ]", [(3, "a "), (10, "a b")]),
    ("a [[[b]]:2]", [(2, "a "), (10, "a [[b]]")]),
    ("[(a:2):3]", [(3, ""), (10, "(a:2)")]),
    ("a [b : c : 1] d", [(1, "a b  d"), (10, "a  c  d")]),
    ("a[b:[c:d:2]:1]e", [(1, "abe"), (2, "ace"), (10, "ade")]),
    ("a [unbalanced", [(10, "a [unbalanced")]),
    ("a [b:.5] c", [(5, "a  c"), (10, "a b c")]),
    ("((a][:b:c [d:3]", [(3, "((a][:b:c "), (10, "((a][:b:c d")]),
    ("[a:b:c:0.5]", [(10, "[a:b:c:0.5]")]),
    ("[a:b:0.5]", [(5, "a"), (10, "b")]),
    ("[a:b:1]", [(1, "a"), (10, "b")]),
    ("[a:b:1.0]", [(10, "a")]),
    ("[a:b:0]", [(10, "b")]),
    ("[a:b:0.05]", [(10, "b")]),
    ("[fire:1.1]", [(10, "")]),
    ("[fire:-1.1]", [(10, "fire")]),
    ("[a:b:2e0]", [(2, "a"), (10, "b")]),
    ("a|b [c:d:3]", [(10, "a|b [c:d:3]")]),
    ("(a|b) [c:d:3]", [(10, "(a|b) [c:d:3]")]),
    ("[c:d:3] \\", [(10, "[c:d:3] \\")]),
    (r"[\[c\]:d:3]", [(3, r"\[c\]"), (10, "d")]),
    ("(a:b:c) [d:3]", [(3, "(a:b:c) "), (10, "(a:b:c) d")]),
    ("[(a:b:c):d:3]", [(10, "[(a:b:c):d:3]")]),
    ("[fe|]male", [(n, "male" if n % 2 == 0 else "female") for n in range(1, 11)]),
    ("[a|b:3]", [(10, "[a|b:3]")]),
]


@pytest.mark.parametrize(("text", "wanted"), SCHEDULES, ids=[text for text, _ in SCHEDULES])
def test_schedules_are_those_of_the_web_ui(text: str, wanted: list[tuple[int, str]]) -> None:
    (part,) = parts(text)
    walk = Pass(10)
    assert [(end, text_at(part, walk, end)) for end in ends(part, walk)] == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[a:b:0.5]", [(10, "b")]),
        ("[a:b:1.5]", [(5, "a"), (10, "b")]),
        ("[a:b:15]", [(5, "a"), (10, "b")]),
        ("a [b:.5] c", [(10, "a b c")]),
        ("a [b:1.5] c", [(5, "a  c"), (10, "a b c")]),
    ],
)
def test_schedules_of_the_second_pass_are_too(text: str, wanted: list[tuple[int, str]]) -> None:
    (part,) = parts(text)
    walk = Pass(10, before=10, number=1)
    assert [(end, text_at(part, walk, end)) for end in ends(part, walk)] == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("normal text", [("normal text", 1.0)]),
        ("an (important) word", [("an ", 1.0), ("important", 1.1), (" word", 1.0)]),
        ("(unbalanced", [("unbalanced", 1.1)]),
        ("(a:1.2", [("a:1.2", 1.1)]),
        ("a) b", [("a) b", 1.0)]),
        (r"\(literal\]", [("(literal]", 1.0)]),
        (r"a\b", [("ab", 1.0)]),
        ("(unnecessary)(parens)", [("unnecessaryparens", 1.1)]),
        ("(x:y:1.2)", [("x:y", 1.2)]),
        ("(a: -.5 )", [("a", -0.5)]),
        ("[b:1.5]", [("b:1.5", 1 / 1.1)]),
        ("([a)b]", [("a", 1.0), ("b", 1 / 1.1)]),
        ("a BREAK b", [("a", 1.0), ("BREAK", -1.0), ("b", 1.0)]),
        ("(a BREAK b:1.3)", [("a", 1.3), ("BREAK", -1.3), ("b", 1.3)]),
        ("", [("", 1.0)]),
        (
            "a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).",
            [
                ("a ", 1.0),
                ("house", 1.5730000000000004),
                (" ", 1.1),
                ("on", 1.0),
                (" a ", 1.1),
                ("hill", 0.55),
                (", sun, ", 1.1),
                ("sky", 1.4641000000000006),
                (".", 1.1),
            ],
        ),
    ],
)
def test_weights_are_those_of_the_web_ui(text: str, wanted: list[tuple[str, float]]) -> None:
    assert emphasis(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a AND b", [("a", 1.0), (" b", 1.0)]),
        ("a:2 AND b : -.5 ", [("a", 2.0), (" b", -0.5)]),
        ("a clock at 10:30", [("a clock at 10", 30.0)]),
        ("(a AND b:1.2)", [("(a", 1.0), (" b:1.2)", 1.0)]),
        ("a  ", [("a", 1.0)]),
    ],
)
def test_and_cuts_anywhere_and_a_number_at_the_end_is_a_weight(text: str, wanted: list[tuple[str, float]]) -> None:
    assert parts(text) == tuple(Part((Text(words),), weight) for words, weight in wanted)


def test_what_crashes_there_is_one_line_here() -> None:
    with pytest.raises(InvalidRequest, match="a number after the colon"):
        emphasis("(a:1.2.3)")


def test_every_hash_begins_a_remark_and_unknown_tags_go() -> None:
    assert parse("C# b\nc <x:y>d", "a1111").parts == (Part((Text("C\nc d"),)),)
