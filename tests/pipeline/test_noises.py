"""Whose noise a batch begins with, and whose its sampler draws."""

from dataclasses import replace

import pytest
import torch

from inkwash.errors import InvalidRequest
from inkwash.pipeline.batch import Batch
from inkwash.pipeline.engine import Engine
from inkwash.pipeline.noises import between, noises
from inkwash.request.generate import GenerateRequest
from inkwash.request.noise import Noise
from inkwash.request.way import Way
from inkwash.rng import NoiseSource, between_columns, centred, mersenne, philox
from inkwash.types import Latents

ASKED = GenerateRequest(width=32, height=48, seed=5)
SHAPE, FACTOR = (4, 6, 4), 8


def found(*requests: GenerateRequest) -> tuple[Latents, Latents]:
    eps, source = noises(Batch(requests), SHAPE, FACTOR)
    return eps, source.like(eps)


def test_as_ever_one_stream_goes_on() -> None:
    stream = mersenne(5)
    first, then = found(ASKED)
    assert torch.equal(first[0], stream(SHAPE))
    assert torch.equal(then[0], stream(SHAPE))


def test_other_generators() -> None:
    stream = philox(5)
    first, then = found(replace(ASKED, noise=Noise(rng="philox")))
    assert torch.equal(first[0], stream(SHAPE))
    assert torch.equal(then[0], stream(SHAPE))
    both = [replace(ASKED, seed=seed, noise=Noise(rng="batch")) for seed in (5, 6)]
    first, then = found(*both)
    assert torch.equal(first, mersenne(5)((2, *SHAPE)))
    assert torch.equal(then, mersenne(6)((2, *SHAPE)))


def test_samplers_may_have_other_seeds() -> None:
    first, then = found(replace(ASKED, noise=Noise(delta=31337)))
    assert torch.equal(first, found(ASKED)[0])
    assert torch.equal(then[0], mersenne(5 + 31337)(SHAPE))


def test_samplers_may_be_louder_but_not_the_beginning() -> None:
    first, then = found(replace(ASKED, way=Way(s_noise=1.5)))
    assert torch.equal(first, found(ASKED)[0])
    assert torch.equal(then, 1.5 * found(ASKED)[1])


def test_the_noise_of_another_size_stands_in_the_middle() -> None:
    asked = replace(ASKED, noise=Noise(resize_from=(16, 32)))
    small, large = mersenne(5)((4, 4, 2))[None], mersenne(5)(SHAPE)[None]
    assert torch.equal(found(asked)[0], centred(small, large))
    assert torch.equal(found(asked)[0][:, :, 1:5, 1:3], small)
    assert torch.equal(found(replace(asked, noise=Noise(resize_from=(32, 48))))[0], found(ASKED)[0])


def test_variations_are_mixed_at_the_size_they_have() -> None:
    asked = replace(ASKED, subseed=9, subseed_strength=0.3)
    whole = mersenne(5)(SHAPE)[None], mersenne(9)(SHAPE)[None]
    assert torch.equal(found(asked)[0], between(*whole, 0.3))
    assert torch.equal(found(replace(asked, noise=Noise(columns=True)))[0], between_columns(*whole, 0.3))
    small = mersenne(5)((4, 4, 2))[None], mersenne(9)((4, 4, 2))[None]
    resized = replace(asked, noise=Noise(resize_from=(16, 32)))
    assert torch.equal(found(resized)[0][:, :, 1:5, 1:3], between(*small, 0.3))


def test_paths_are_for_samplers_that_follow_them(engine: Engine) -> None:
    asked = GenerateRequest(prompt="a photo of a cat", seed=3, sampler="dpmpp_2m_sde", spacing="karras", steps=4)
    with_paths = replace(asked, noise=Noise(tree=True))
    few, many = (engine.paint(replace(with_paths, steps=steps))[0].image.tobytes() for steps in (4, 5))
    assert few != many
    assert engine.paint(asked)[0].image.tobytes() != few
    _, source = noises(Batch((replace(ASKED, noise=Noise(tree=True)),)), SHAPE, FACTOR)
    assert isinstance(source, NoiseSource)
    assert len(source.paths) == 1
    with pytest.raises(InvalidRequest, match=r"noise.tree is True, but must be left out with heun; these .* dpmpp_sde"):
        engine.paint(replace(with_paths, sampler="heun"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"delta": 2**63}, "noise.delta is"),
        ({"resize_from": (0, 512)}, "noise.resize_from is 0, but must be a whole number from 8"),
    ],
)
def test_wrong_options_are_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        Noise(**options)  # type: ignore[arg-type]
