"""Tables of released networks against their files: parameters, tensors, and the crc32 of all names and shapes."""

from dataclasses import replace

import pytest
import torch

from inkwash.errors import InvalidRequest
from inkwash.predictor.spec import RELEASED, SDXL, TINY, Stage, UNetSpec
from inkwash.predictor.unet import UNet
from tools.golden.filling import keys_crc

FACTS = {
    "sd15": (859_520_964, 686, 1237089903),
    "sd15-inpaint": (859_535_364, 686, 1044071898),
    "instruct-pix2pix": (859_532_484, 686, 888502979),
    "lcm": (859_602_884, 687, 1415937671),
    "sd21": (865_910_724, 686, 3251707876),
    "sd21-inpaint": (865_925_124, 686, 3739866743),
    "sd21-depth": (865_913_604, 686, 3206755956),
    "sd21-unclip-h": (870_173_124, 690, 1131164226),
    "sd21-unclip-l": (869_517_764, 690, 2050562538),
    "x4-upscaler": (473_398_020, 687, 3190982659),
    "sdxl": (2_567_463_684, 1680, 2029812119),
    "sdxl-inpaint": (2_567_478_084, 1680, 197367099),
    "sdxl-refiner": (2_259_526_660, 1220, 880207471),
    "lcm-sdxl": (2_567_545_604, 1681, 3973615482),
    "ssd-1b": (1_331_334_404, 944, 1197675915),
    "vega": (745_225_604, 564, 75800959),
    "koala-700m": (782_822_724, 584, 2280713055),
    "koala-1b": (1_161_184_324, 790, 4080890485),
    "bk-sdm-base": (579_384_964, 442, 2387464660),
    "bk-sdm-small": (482_346_884, 396, 3163570300),
    "bk-sdm-tiny": (323_384_964, 358, 1053386820),
    "sdxs": (318_695_364, 280, 2174616804),
}


def on_meta(spec: UNetSpec) -> UNet:
    with torch.device("meta"):
        return UNet(spec)


def test_every_released_network_has_its_facts() -> None:
    assert FACTS.keys() == RELEASED.keys()


ONLY_OTHER_ENDS = ("sd15-inpaint", "instruct-pix2pix", "sd21-inpaint", "sd21-depth", "sdxl-inpaint", "lcm-sdxl")
"""Networks that differ from another one in their first layer; they are built with the slow tests."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in ONLY_OTHER_ENDS else []) for name in FACTS]
)
def test_a_table_builds_the_released_network(name: str) -> None:
    network = on_meta(RELEASED[name])
    found = sum(weight.numel() for weight in network.parameters()), len(network.state_dict()), keys_crc(network)
    assert found == FACTS[name]


def test_depths_are_those_of_the_stage_unless_listed_block_by_block() -> None:
    assert SDXL.depths_down(1) == (2, 2)
    assert SDXL.depths_up(1) == (2, 2, 2)
    assert RELEASED["ssd-1b"].depths_up(1) == (2, 1, 1)
    assert RELEASED["ssd-1b"].depths_down(2) == (4, 4)


@pytest.mark.parametrize("stage", [Stage(32, down=(1, 1)), Stage(32, up=(1,))])
def test_a_list_of_depths_must_name_every_block(stage: Stage) -> None:
    with pytest.raises(InvalidRequest, match=r"depths of stage 0 is \(.*\), but must be a list of"):
        UNet(replace(TINY, stages=(stage,)))
