"""The learning rate follows the clock; weights get the optimizer they should."""

import pytest
import torch

from inkwash.predictor.unet import UNet
from inkwash.training.config import OptimizerConfig, TrainConfig
from inkwash.training.muon import Muon
from inkwash.training.state import optimizers, rate_at

PLAIN = OptimizerConfig(rate=1.0, warm_up=100, decay_from=0.5)


@pytest.mark.parametrize(("images", "rate"), [(0, 0), (50, 0.5), (100, 1), (500, 1), (750, 0.5), (1000, 0)])
def test_up_level_and_down_to_nothing(images: int, rate: float) -> None:
    assert rate_at(images, 1000, PLAIN) == pytest.approx(rate)


def test_a_run_made_longer_keeps_its_full_rate() -> None:
    assert rate_at(750, 2000, PLAIN) == 1


def test_norms_and_biases_do_not_decay(config: TrainConfig) -> None:
    network = UNet(config.predictor)
    (adamw,) = optimizers(network, OptimizerConfig())
    by_decay = {group["weight_decay"]: group["params"] for group in adamw.param_groups}
    assert all(weight.ndim > 1 for weight in by_decay[0.01])
    assert all(weight.ndim == 1 for weight in by_decay[0.0])
    assert sum(map(len, by_decay.values())) == len(list(network.parameters()))


def test_muon_takes_the_matrices_inside_and_adamw_the_rest(config: TrainConfig) -> None:
    network = UNet(config.predictor)
    muon, adamw = optimizers(network, OptimizerConfig(kind="muon"))
    assert isinstance(muon, Muon)
    turned = {id(weight) for group in muon.param_groups for weight in group["params"]}
    rest = {id(weight) for group in adamw.param_groups for weight in group["params"]}
    assert not turned & rest
    assert turned | rest == {id(weight) for weight in network.parameters()}
    assert id(network.conv_in.weight) in rest
    assert all(isinstance(weight, torch.nn.Parameter) for group in muon.param_groups for weight in group["params"])
