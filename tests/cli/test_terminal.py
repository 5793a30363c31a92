import base64
import re
from io import BytesIO

import pytest
from PIL import Image

from inkwash.cli.terminal import CHUNK, blocks, kitty, show, spoken

FLAG = Image.new("RGB", (2, 4), (1, 2, 3))
FLAG.paste((200, 100, 50), (0, 0, 2, 1))


@pytest.mark.parametrize(
    ("environment", "kind"),
    [
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, "kitty"),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "blocks"),
        ({"TERM": "xterm-256color"}, "off"),
        ({"TERM": "xterm-kitty", "NO_COLOR": "1"}, "off"),
        ({"TERM": "dumb", "COLORTERM": "truecolor"}, "off"),
        ({}, "off"),
    ],
)
def test_what_terminals_say_of_themselves(environment: dict[str, str], kind: str) -> None:
    assert spoken(environment, terminal=True) == kind
    assert spoken(environment, terminal=False) == "off"


def test_half_blocks_show_two_pixels_a_character() -> None:
    lines = list(blocks(FLAG, 72))
    assert lines[0] == "\x1b[38;2;200;100;50;48;2;1;2;3m▀" * 2 + "\x1b[0m\n"
    assert lines[1] == "\x1b[38;2;1;2;3;48;2;1;2;3m▀" * 2 + "\x1b[0m\n"
    assert len(lines) == 2


def test_wide_pictures_are_shrunk_in_proportion() -> None:
    lines = list(blocks(Image.new("RGB", (400, 200)), 40))
    assert (len(lines), lines[0].count("▀")) == (10, 40)


def test_kitty_gets_the_whole_png_in_pieces() -> None:
    noise = Image.effect_noise((128, 128), 90).convert("RGB")
    text = "".join(kitty(noise))
    pieces = re.findall(r"\x1b_G(.*?);(.*?)\x1b\\", text)
    assert pieces[0][0] == "a=T,f=100,m=1"
    assert [head for head, _ in pieces[1:]] == ["m=1"] * (len(pieces) - 2) + ["m=0"]
    assert all(len(piece) <= CHUNK for _, piece in pieces)
    data = base64.standard_b64decode("".join(piece for _, piece in pieces))
    assert Image.open(BytesIO(data)).tobytes() == noise.tobytes()


def test_off_and_pipes_show_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    show([FLAG], "off")
    show([FLAG], "auto")
    show([], "blocks")
    assert capsys.readouterr() == ("", "")
    show([FLAG, FLAG], "blocks")
    assert "▀" in capsys.readouterr().err
