from dataclasses import replace

import pytest
import torch

from benchmarks.lessons import difference, drawn, jogged
from benchmarks.settings import QUICK
from inkwash.predictor.spec import PETS, Stage, UNetSpec
from inkwash.predictor.unet import UNet

pytest.importorskip("diffusers", reason="comes with the extra `bench`", exc_type=ImportError)

SMALL_PETS = replace(PETS, stages=(Stage(32), Stage(64, 1)), text_width=16, pooled_width=8, head_width=32)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("spec", [QUICK.spec, SMALL_PETS], ids=["tiny", "pets"])
def test_the_twin_in_diffusers_says_the_same(spec: UNetSpec) -> None:
    from benchmarks.rival import rival

    torch.manual_seed(0)
    ours = jogged(UNet(spec))
    assert difference(ours, rival(ours), drawn(replace(QUICK, spec=spec))) < 1e-5
