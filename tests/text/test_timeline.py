import pytest

from inkwash.text.prompt import parse
from inkwash.text.timeline import BREAK, Pass, Piece, timeline
from inkwash.text.tree import Mode


def said(text: str, walk: Pass, mode: Mode = "native") -> list[str]:
    """What one prompt says at every step, without weights."""
    moments = timeline(parse(text, mode), walk)
    return ["".join(piece.text for piece in moment[0].pieces) for moment in moments]


def pieces(text: str, mode: Mode = "native") -> list[tuple[str, float]]:
    ((only,),) = timeline(parse(text, mode), Pass(1))
    return [("BREAK", -1) if piece.is_break else (piece.text, round(piece.weight, 4)) for piece in only.pieces]


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("[a:b:0.5]", "aaaaabbbbb"),
        ("[a:b:3]", "aaabbbbbbb"),
        ("[a:b:0]", "bbbbbbbbbb"),
        ("[a:b:0.05]", "abbbbbbbbb"),
        ("[a:b:1.0]", "aaaaaaaaaa"),
        ("[a:b:1.5]", "aaaaaaaaaa"),
        ("[a:b:99]", "aaaaaaaaaa"),
        ("[a|b]", "ababababab"),
        ("[a|b|c]", "abcabcabca"),
        ("[[a|b]:c:0.5]", "ababaccccc"),
        ("[[a:b:0.2]|c]", "acbcbcbcbc"),
    ],
)
def test_an_edit_lasts_as_long_as_it_says(text: str, steps: str) -> None:
    assert said(text, Pass(10)) == list(steps)


def test_what_comes_and_what_goes() -> None:
    assert said("a[ b:1][ c::2]", Pass(3)) == ["a c", "a b c", "a b"]


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("[a:b:0.5]", "bbbbbbbbbb"),
        ("[a:b:1.5]", "aaaaabbbbb"),
        ("[a:b:15]", "aaaaabbbbb"),
        ("[a:b:1.0]", "bbbbbbbbbb"),
        ("[a:b:2.0]", "aaaaaaaaaa"),
        ("[a|b]", "ababababab"),
    ],
)
def test_in_the_second_pass_fractions_go_on_from_one_and_steps_from_the_first(text: str, steps: str) -> None:
    assert said(text, Pass(10, before=10, number=1)) == list(steps)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a (b) [c]", [("a ", 1.0), ("b", 1.1), (" ", 1.0), ("c", 0.9091)]),
        ("((a:2) b:3)", [("a", 6.0), (" b", 3.0)]),
        ("(a)(b)", [("ab", 1.1)]),
        ("(a BREAK b:2) c", [("a", 2.0), ("BREAK", -1), ("b", 2.0), (" c", 1.0)]),
        ("", [("", 1.0)]),
        ("()", [("", 1.0)]),
        ("([a:b:1]:0.5)", [("a", 0.5)]),
    ],
)
def test_weights_multiply_and_equal_neighbours_merge(text: str, found: list[tuple[str, float]]) -> None:
    assert pieces(text) == found


def test_a_break_is_no_text() -> None:
    assert (BREAK.is_break, BREAK.text, Piece("a").is_break) == (True, "", False)


def test_parts_keep_their_weights_at_every_step() -> None:
    moments = timeline(parse("[a|b] AND c :0.5"), Pass(2))
    assert [[(each.pieces[0].text, each.weight) for each in moment] for moment in moments] == [
        [("a", 1.0), ("c", 0.5)],
        [("b", 1.0), ("c", 0.5)],
    ]


def test_a_prompt_that_stays_is_one_value() -> None:
    moments = timeline(parse("a (b) AND c"), Pass(1000))
    assert len(moments) == 1000
    assert len({id(moment) for moment in moments}) == 1


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("[a:b:0.5]", "aaaaaabbbb"),
        ("[a:b:1]", "aabbbbbbbb"),
        ("[a:b:1.0]", "aaaaaaaaaa"),
        ("[a:b:0]", "bbbbbbbbbb"),
        ("[a:b:0.05]", "bbbbbbbbbb"),
        ("[a|b]", "aababababa"),
    ],
)
def test_the_web_ui_counts_one_call_more(text: str, calls: str) -> None:
    assert said(text, Pass(10), "a1111") == list(calls)
