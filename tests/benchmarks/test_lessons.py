from collections.abc import Callable

import pytest
import torch
from torch import nn

from benchmarks.lessons import Lesson, drawn, jogged, pupil, scripted
from benchmarks.settings import QUICK
from inkwash.device import compute
from inkwash.predictor.unet import UNet


def loss(network: nn.Module, lesson: Lesson) -> float:
    x, t, text, wanted = lesson
    with torch.no_grad():
        return float((network(x, t, text) - wanted).square().mean())


def test_a_lesson_has_the_shapes_of_the_settings() -> None:
    x, t, text, wanted = drawn(QUICK)
    assert x.shape == wanted.shape == (QUICK.batch, 4, QUICK.side, QUICK.side)
    assert t.shape == (QUICK.batch,)
    assert text.states.shape == (QUICK.batch, QUICK.tokens, QUICK.spec.text_width)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_pupil_learns(dtype: str) -> None:
    learns(lambda network, lesson: pupil(network, lesson, 3, compute("cpu", dtype))())


def test_the_script_learns() -> None:
    pytest.importorskip("diffusers", reason="comes with the extra `bench`", exc_type=ImportError)
    learns(lambda network, lesson: scripted(network, lesson, 3)())


def learns(teach: Callable[[nn.Module, Lesson], None]) -> None:
    torch.manual_seed(0)
    network, lesson = jogged(UNet(QUICK.spec)), drawn(QUICK)
    before = loss(network, lesson)
    teach(network, lesson)
    assert loss(network, lesson) < before
