"""Samplers with their knobs, and the plan of the levels."""

from dataclasses import replace

import pytest
import torch

from inkwash.errors import InvalidRequest
from inkwash.pipeline.engine import Engine
from inkwash.pipeline.resolve import resolved
from inkwash.pipeline.walking import walk_of
from inkwash.request.generate import GenerateRequest
from inkwash.request.way import Way
from inkwash.reverse.ancestral import euler_ancestral
from inkwash.reverse.churn import Churn
from inkwash.reverse.euler import euler
from inkwash.reverse.scheduler_config import Walk
from inkwash.reverse.spacing import discarding, karras
from inkwash.reverse.step import Sampler
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Sigma

CAT = GenerateRequest(prompt="a photo of a cat", seed=3, steps=5)


def walk(engine: Engine, **more: object) -> Walk:
    return walk_of(resolved(replace(CAT, **more), engine.bundle), engine.bundle)  # type: ignore[arg-type]


def half(x: Latents, _: Sigma) -> Latents:
    return x / 2


def last(sampler: Sampler) -> Latents:
    *_, step = sampler(half, torch.ones(1, 4, 2, 2), torch.tensor([3.0, 2.0, 1.0, 0.5]), NoiseSource.seeded([1]))
    return step.x


def test_eta_and_churn_reach_the_samplers_that_have_them(engine: Engine) -> None:
    found = walk(engine, sampler="euler_ancestral", way=Way(eta=0.3)).sampler
    assert torch.equal(last(found), last(lambda *given: euler_ancestral(*given, eta=0.3)))
    assert not torch.equal(last(found), last(euler_ancestral))
    found = walk(engine, sampler="euler", way=Way(s_churn=2.0, s_tmin=0.9, s_tmax=2.5)).sampler
    assert torch.equal(last(found), last(lambda *given: euler(*given, churn=Churn(2.0, 0.9, 2.5))))
    assert not torch.equal(last(found), last(euler))


@pytest.mark.parametrize(
    ("sampler", "way", "message"),
    [
        ("dpmpp_2m", Way(eta=0.5), "way.eta is 0.5, but must be left out: dpmpp_2m has no such knob"),
        ("lms", Way(s_churn=5.0), "way.s_churn is 5.0, but must be left out: lms has no such knob"),
        ("euler", Way(plan="diffusers"), "way.plan is 'diffusers', but must be own: tiny has no scheduler_config.json"),
    ],
)
def test_knobs_that_are_not_there_are_named(engine: Engine, sampler: str, way: Way, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        walk(engine, sampler=sampler, way=way)


def test_an_outdated_config_is_mended_as_diffusers_does(engine: Engine) -> None:
    """An old DDIM folder neither says where its steps begin nor that latents are not clipped."""
    old = {"_class_name": "DDIMScheduler", "beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
    bundle = replace(engine.bundle, scheduler=old)
    asked = resolved(replace(CAT, way=Way(plan="diffusers")), bundle)
    found = walk_of(asked, bundle)
    assert found.schedule.t(found.sigmas[0]).item() == 801
    *_, step = found.sampler(
        lambda x, _: x / 2, torch.full((1, 4, 2, 2), 40.0), found.sigmas[:2], NoiseSource.seeded([1])
    )
    assert step.denoised.max() == 20


def test_the_last_level_but_the_zero_is_left_out(engine: Engine) -> None:
    schedule = engine.bundle.schedule
    found = walk(engine, sampler="dpm2", spacing="karras", way=Way(discard=True)).sigmas
    assert torch.equal(found, discarding(karras)(schedule, 5))
    assert len(found) == len(walk(engine, sampler="dpm2", spacing="karras").sigmas) == 6


@pytest.mark.parametrize(
    ("sampler", "spacing", "ours"),
    [
        ("DPM++ 2M Karras", None, ("dpmpp_2m", "karras")),
        ("DPM++ 2M Karras", "SGM Uniform", ("dpmpp_2m", "sgm_uniform")),
        ("dpmpp_2m_sde_gpu", "exponential", ("dpmpp_2m_sde", "exponential")),
        ("UniPCMultistepScheduler", None, ("unipc", "sgm_uniform")),
        ("DPM++ 2M", "Automatic", ("dpmpp_2m", "karras")),
        (None, "Automatic", ("euler", "uniform")),
        (None, "normal", ("euler", "normal")),
        (None, None, ("euler", "sgm_uniform")),
    ],
)
def test_names_of_all_worlds_become_ours(
    engine: Engine, sampler: str | None, spacing: str | None, ours: tuple[str, str]
) -> None:
    found = resolved(replace(CAT, sampler=sampler, spacing=spacing), engine.bundle)
    assert (found.sampler, found.spacing) == ours


def test_a_wrong_name_gets_one_line_with_what_was_meant() -> None:
    with pytest.raises(
        InvalidRequest, match=r"sampler is 'dpm\+\+ 2n', but must be one of euler, .*; did you mean dpm\+\+ 2"
    ):
        GenerateRequest(sampler="dpm++ 2n")
    with pytest.raises(InvalidRequest, match=r"spacing is 'karas', but must be one of .*; did you mean karras\?"):
        GenerateRequest(spacing="karas")


@pytest.mark.parametrize(
    ("options", "message"),
    [({"eta": -1.0}, "way.eta is -1.0"), ({"s_noise": 11.0}, "way.s_noise is 11.0")],
)
def test_wrong_options_are_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        Way(**options)  # type: ignore[arg-type]
