import torch

from inkwash.pipeline.aids import Aids
from inkwash.predictor.controlnet import Control, ControlNet
from inkwash.predictor.spec import TINY


def test_both_halves_are_alike_if_the_very_same_helpers_help() -> None:
    network = ControlNet(TINY)
    one, two = (Control(network, torch.rand(1, 3, 16, 16)) for _ in range(2))
    assert Aids((one, two), (one, two)).alike
    assert not Aids((one, two), (two,)).alike
    assert not Aids((one,), (two,)).alike
