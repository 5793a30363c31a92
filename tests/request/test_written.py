from pathlib import Path

import pytest

from inkwash.errors import InvalidRequest
from inkwash.request.control import Control
from inkwash.request.picture_prompt import PicturePrompt
from inkwash.request.written import read_group, written_group


def test_a_control_in_a_word() -> None:
    found = read_group(Control, "net.safetensors,a b.png,preprocessor=canny,weight=0.5", "control")
    assert found == Control(model=Path("net.safetensors"), image=Path("a b.png"), preprocessor="canny", weight=0.5)
    assert read_group(Control, "image=a.png,model=net", "control") == Control(model=Path("net"), image=Path("a.png"))


def test_an_ip_adapter_has_as_many_pictures_as_words() -> None:
    found = read_group(PicturePrompt, "net,a.png,b.png,weight=1", "ip_adapter")
    assert found == PicturePrompt(model=Path("net"), images=(Path("a.png"), Path("b.png")))


def test_json_says_what_words_cannot() -> None:
    odd = Control(model=Path("a,b=c"), image=Path("x,y.png"), end=0.5)
    assert read_group(Control, written_group(odd), "control") == odd


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("net", "control.image is None, but must be given"),
        ("net,a.png,b.png", "control is 'b.png', but must be left out: a control has one model and one image"),
        ("net,a.png,wieght=2", "control is 'wieght=2', but must be one of model=…, image=…"),
        ("net,a.png,weight=x", "control.weight is 'x', but must be a finite number"),
        ("net,a.png,mode=best", "control.mode is 'best', but must be one of balanced, prompt, control"),
        ("{", "control is '{', but must be JSON"),
    ],
)
def test_what_is_no_control_is_told_in_a_line(text: str, line: str) -> None:
    with pytest.raises(InvalidRequest) as error:
        read_group(Control, text, "control")
    assert str(error.value).startswith(line)
