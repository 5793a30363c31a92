"""Whole pictures against diffusers' pipelines: the same weights, words and first noise, the last latents compared."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from inkwash.device import Compute
from inkwash.pipeline.engine import Engine
from inkwash.pipeline.noises import noises
from inkwash.request.generate import GenerateRequest
from inkwash.request.micro import Micro
from inkwash.request.refiner import Refiner
from inkwash.request.way import Way
from inkwash.types import Latents
from inkwash.weights.choice import ModelChoice
from inkwash.weights.models import open_model
from tools.checkpoints import Shelf

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
CAT = GenerateRequest(
    prompt="a photo of a cat",
    negative_prompt="two dogs",
    seed=3,
    width=32,
    height=32,
    steps=4,
    guidance=4.0,
    way=Way(plan="diffusers"),
)
SIZE = {"height": 32, "width": 32}
KINDS = {"unet": "UNet2DConditionModel", "transformer": "SD3Transformer2DModel", "vae": "AutoencoderKL"}


def engine_of(folder: Path) -> Engine:
    return Engine(open_model(ModelChoice(folder)), Compute(torch.device("cpu"), torch.float32))


def part(folder: Path, name: str) -> Any:
    diffusers = pytest.importorskip("diffusers", reason="comes with the extra `bench`", exc_type=ImportError)
    pytest.importorskip("transformers", reason="diffusers builds its pipelines with it")
    kind = getattr(diffusers, KINDS[name])
    return kind.from_pretrained(folder, subfolder=name, torch_dtype=torch.float32)


def scheduler_of(engine: Engine) -> Any:
    import diffusers

    config = dict(engine.bundle.scheduler)
    return getattr(diffusers, config["_class_name"]).from_config(config)


def ours(engine: Engine, asked: GenerateRequest) -> Latents:
    (batch,) = engine.batches([asked])
    *_, last = engine.steps(batch)
    return last.x


def beginning(engine: Engine, asked: GenerateRequest) -> Latents:
    (batch,) = engine.batches([asked])
    space = engine.bundle.autoencoder.spec
    side = 32 // space.factor
    eps, _ = noises(batch, (space.latent_channels, side, side), space.factor)
    return eps


def embeds(engine: Engine, asked: GenerateRequest) -> dict[str, Any]:
    wanted, away = (engine.bundle.text([words or ""]) for words in (asked.prompt, asked.negative_prompt))
    found: dict[str, Any] = {"prompt_embeds": wanted.states, "negative_prompt_embeds": away.states}
    if wanted.pooled is not None:
        found |= {"pooled_prompt_embeds": wanted.pooled, "negative_pooled_prompt_embeds": away.pooled}
    return found


def apart(found: Latents, expected: Latents) -> float:
    """The root of the mean square of the difference, in units of what is expected."""
    return ((found - expected).square().mean().sqrt() / expected.std()).item()


def painted(pipe: Any, engine: Engine, asked: GenerateRequest, **more: Any) -> Latents:
    pipe.set_progress_bar_config(disable=True)
    known = {"latents": beginning(engine, asked)} if "image" not in more else {}
    told = {"guidance_scale": asked.guidance, "num_inference_steps": asked.steps, "output_type": "latent"}
    found: Latents = pipe(**embeds(engine, asked), **known, **told, **more).images
    return found


@pytest.mark.parametrize("scheduler", [None, "DDIMScheduler", "EulerDiscreteScheduler", "DPMSolverMultistepScheduler"])
def test_stable_diffusion_1(shelf: Shelf, scheduler: str | None) -> None:
    unet = part(shelf("sd1", "folder"), "unet")
    from diffusers import StableDiffusionPipeline

    engine = engine_of(shelf("sd1", "folder"))
    if scheduler is not None:
        config = {**engine.bundle.scheduler, "_class_name": scheduler, "timestep_spacing": "leading"}
        defaults = replace(engine.bundle.defaults, sampler="euler")
        engine = engine.other(replace(engine.bundle, scheduler=config, defaults=defaults))
    nothing = dict.fromkeys(("vae", "text_encoder", "tokenizer", "safety_checker", "feature_extractor"))
    pipe = StableDiffusionPipeline(unet=unet, scheduler=scheduler_of(engine), requires_safety_checker=False, **nothing)
    assert apart(ours(engine, CAT), painted(pipe, engine, CAT, **SIZE)) < 1e-4
    own = replace(CAT, way=Way(), sampler="heun", spacing="karras")
    assert apart(ours(engine, own), ours(engine, CAT)) > 1e-2


def test_stable_diffusion_xl_and_its_sizes(shelf: Shelf) -> None:
    unet = part(shelf("sdxl", "folder"), "unet")
    engine = engine_of(shelf("sdxl", "folder"))
    pipe = base_of(engine, unet)
    assert apart(ours(engine, CAT), painted(pipe, engine, CAT, **SIZE)) < 1e-4
    told = Micro(original=(24, 20), corner=(4, 2), target=(48, 40))
    sizes: dict[str, Any] = {}
    for away in ("", "negative_"):
        sizes |= {f"{away}original_size": (20, 24), f"{away}crops_coords_top_left": (2, 4)}
        sizes |= {f"{away}target_size": (40, 48)}
    found = ours(engine, replace(CAT, micro=told))
    assert apart(found, painted(pipe, engine, CAT, **SIZE, **sizes)) < 1e-4
    assert apart(found, ours(engine, CAT)) > 1e-3


def base_of(engine: Engine, unet: Any) -> Any:
    from diffusers import StableDiffusionXLPipeline

    nothing = dict.fromkeys(("vae", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2"))
    return StableDiffusionXLPipeline(unet=unet, scheduler=scheduler_of(engine), add_watermarker=False, **nothing)


def test_stable_diffusion_3(shelf: Shelf) -> None:
    transformer = part(shelf("sd3", "folder"), "transformer")
    from diffusers import StableDiffusion3Pipeline

    engine = engine_of(shelf("sd3", "folder"))
    names = [f"{kind}{number}" for kind in ("text_encoder", "tokenizer") for number in ("", "_2", "_3")]
    pipe = StableDiffusion3Pipeline(
        transformer=transformer, scheduler=scheduler_of(engine), vae=None, **dict.fromkeys(names)
    )
    assert apart(ours(engine, CAT), painted(pipe, engine, CAT, **SIZE)) < 1e-4


def test_base_and_refiner(shelf: Shelf) -> None:
    unet, second = part(shelf("sdxl", "folder"), "unet"), part(shelf("refiner", "folder"), "unet")
    from diffusers import StableDiffusionXLImg2ImgPipeline

    engine, other = (engine_of(shelf(name, "folder")) for name in ("sdxl", "refiner"))
    asked = replace(CAT, steps=6, refiner=Refiner(model=str(shelf("refiner", "folder")), switch_at=0.7))
    first = painted(base_of(engine, unet), engine, asked, **SIZE, denoising_end=0.7)
    nothing = dict.fromkeys(("text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2"))
    pipe = StableDiffusionXLImg2ImgPipeline(
        unet=second,
        scheduler=scheduler_of(engine),
        vae=part(shelf("sdxl", "folder"), "vae"),
        requires_aesthetics_score=True,
        add_watermarker=False,
        **nothing,
    )
    sizes = {"original_size": (32, 32), "target_size": (32, 32)}
    expected = painted(pipe, other, asked, image=first, denoising_start=0.7, **sizes)
    found = ours(engine, asked)
    assert apart(found, expected) < 1e-4
    assert apart(found, ours(engine, replace(asked, refiner=Refiner()))) > 1e-2
