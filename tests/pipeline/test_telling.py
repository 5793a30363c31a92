"""What SDXL, its refiner and consistency models are told besides words."""

from dataclasses import replace
from math import inf

import pytest
import torch

from inkwash.nn.embedding import guidance_features
from inkwash.pipeline.aim import interval_of
from inkwash.pipeline.batch import Batch
from inkwash.pipeline.engine import Engine
from inkwash.pipeline.telling import informed, informed_away, scale_of
from inkwash.predictor.spec import TINY
from inkwash.predictor.unet import UNet
from inkwash.request.generate import GenerateRequest
from inkwash.request.micro import Micro
from inkwash.types import TextStates
from inkwash.weights.bundle import Bundle
from inkwash.weights.manifest import Defaults

ASKED = GenerateRequest(width=64, height=32, guidance=5.0, seed=0)
BATCH = Batch((replace(ASKED, negative_prompt="dogs"), ASKED))
WORDS = TextStates(torch.ones(2, 3, 16), torch.ones(2, 4))


@pytest.fixture
def bundle(engine: Engine) -> Bundle:
    return engine.bundle


def with_numbers(bundle: Bundle, count: int) -> Bundle:
    return replace(bundle, predictor=UNet(replace(TINY, size_numbers=count, pooled_width=4)))


def test_others_are_told_words_alone(bundle: Bundle) -> None:
    assert informed(WORDS, BATCH, bundle) is WORDS
    assert informed_away(WORDS, BATCH, bundle) is WORDS
    assert scale_of(BATCH, bundle) == 5.0


def test_sdxl_is_told_sizes_height_first(bundle: Bundle) -> None:
    for tell in (informed, informed_away):
        size = tell(WORDS, BATCH, with_numbers(bundle, 6)).size
        assert size is not None
        assert size.tolist() == [[32.0, 64.0, 0.0, 0.0, 32.0, 64.0]] * 2


def test_the_refiner_is_told_beauty_and_ugliness(bundle: Bundle) -> None:
    for tell, beauty in ((informed, 6.0), (informed_away, 2.5)):
        size = tell(WORDS, BATCH, with_numbers(bundle, 5)).size
        assert size is not None
        assert size.tolist() == [[32.0, 64.0, 0.0, 0.0, beauty]] * 2


def test_silence_is_zeros_where_nothing_is_unwanted(bundle: Bundle) -> None:
    quiet = Batch(tuple(replace(request, silence=True) for request in BATCH.requests))
    found = informed_away(WORDS, quiet, bundle)
    assert found.pooled is not None
    assert found.states.sum(dim=(1, 2)).tolist() == [48.0, 0.0]
    assert found.pooled.sum(dim=1).tolist() == [4.0, 0.0]
    assert informed(WORDS, quiet, bundle) is WORDS


def test_consistency_models_are_told_the_strength_and_are_not_guided(bundle: Bundle) -> None:
    lcm = replace(bundle, predictor=UNet(replace(TINY, guidance_width=256)))
    found = informed(WORDS, BATCH, lcm).guidance
    assert found is not None
    assert torch.equal(found, guidance_features(torch.full((2,), 5.0)))
    assert scale_of(BATCH, lcm) == 1.0


def test_sizes_may_be_said(bundle: Bundle) -> None:
    told = Micro(original=(512, 640), corner=(8, 16), target=(96, 80))
    batch = Batch((replace(ASKED, micro=told),) * 2)
    for tell in (informed, informed_away):
        size = tell(WORDS, batch, with_numbers(bundle, 6)).size
        assert size is not None
        assert size[0].tolist() == [640, 512, 16, 8, 80, 96]
    pleasing = Batch((replace(ASKED, micro=Micro(aesthetic=7.0, aesthetic_away=1.5)),) * 2)
    refiner = with_numbers(bundle, 5)
    sizes = [tell(WORDS, pleasing, refiner).size for tell in (informed, informed_away)]
    assert [size[0].tolist()[-1] for size in sizes if size is not None] == [7.0, 1.5]


def test_guidance_has_no_end_unless_one_is_said() -> None:
    until = [interval_of(GenerateRequest(guidance_until=each)) for each in (9.0, Defaults().guidance_until)]
    assert until == [(0.0, 9.0), (0.0, inf)]
