from pathlib import Path

import pytest

from inkwash.errors import InvalidRequest
from inkwash.text.styles import Style, applied, read_styles, styled

INK = Style("ink", "ink of {prompt}, wash", "colour")
SOFT = Style("soft", "soft light")


def test_a_prompt_stands_inside_a_style_or_before_it() -> None:
    assert applied("ink of {prompt}, wash", "a cat") == "ink of a cat, wash"
    assert applied("soft light", "a cat ") == "a cat, soft light"
    assert (applied("", "a cat"), applied("soft", "")) == ("a cat", "soft")


def test_styles_follow_each_other() -> None:
    styles = {"ink": INK, "soft": SOFT}
    assert styled("a cat", "blur", ["ink", "soft"], styles) == ("ink of a cat, wash, soft light", "blur, colour")
    with pytest.raises(InvalidRequest, match="styles is 'inc', but must be the name of a style, perhaps ink"):
        styled("a cat", "", ["inc"], styles)


def test_a_table_of_the_web_ui_is_read(tmp_path: Path) -> None:
    path = tmp_path / "styles.csv"
    path.write_text(
        '\ufeffname,prompt,negative_prompt\nink,"ink of {prompt}, wash",colour\nsoft,soft light\n', encoding="utf-8"
    )
    assert read_styles(path) == {"ink": INK, "soft": SOFT}
    path.write_text("name,text\nold,oil\n,nameless\n")
    assert read_styles(path) == {"old": Style("old", "oil")}


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xff\xfe\x00"])
def test_what_is_no_table_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "styles.csv"
    path.write_bytes(content)
    with pytest.raises(InvalidRequest, match="a table") as raised:
        read_styles(path)
    assert "\n" not in str(raised.value)


def test_a_missing_table_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="a table in UTF-8"):
        read_styles(tmp_path / "none.csv")
