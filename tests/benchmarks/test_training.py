import pytest
import torch

from benchmarks.settings import QUICK
from benchmarks.training import drawn, jogged, pupil
from inkwash.device import compute
from inkwash.predictor.unet import UNet


def test_a_lesson_has_the_shapes_of_the_settings() -> None:
    x, t, text, wanted = drawn(QUICK)
    assert x.shape == wanted.shape == (QUICK.batch, 4, QUICK.side, QUICK.side)
    assert t.shape == (QUICK.batch,)
    assert text.states.shape == (QUICK.batch, QUICK.tokens, QUICK.spec.text_width)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_pupil_learns(dtype: str) -> None:
    torch.manual_seed(0)
    network = jogged(UNet(QUICK.spec))
    x, t, text, wanted = lesson = drawn(QUICK)

    def loss() -> float:
        with torch.no_grad():
            return (network(x, t, text) - wanted).square().mean().item()

    before = loss()
    pupil(network, lesson, 3, compute("cpu", dtype))()
    assert loss() < before
