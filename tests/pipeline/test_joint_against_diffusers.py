"""Whole pictures of Stable Diffusion 3 with ControlNets against diffusers' pipelines, the last latents compared."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from inkwash.pipeline.engine import Engine
from inkwash.pipeline.noises import noises
from inkwash.request.control import Control
from inkwash.request.generate import GenerateRequest
from inkwash.request.way import Way
from inkwash.types import Latents
from tools.checkpoints import Shelf
from tools.helpers import write_picture
from tools.joint_controls import write_joint

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
CAT = GenerateRequest(
    prompt="a photo of a cat", negative_prompt="two dogs", seed=3, width=32, height=32, steps=4, guidance=4.0,
    way=Way(plan="diffusers"),
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, joint_folder: Path) -> Path:
    place = tmp_path_factory.mktemp("against") / "joint"
    shutil.copytree(joint_folder, place)
    write_joint(place / "other", "worded", 12)
    write_picture(place / "other.png", (32, 32), 1)
    mask = Image.new("L", (32, 32))
    mask.paste(255, (6, 4, 22, 28))
    mask.save(place / "mask.png")
    image = shown(place / "hint.png").convert("RGBA")
    image.putalpha(mask.point(lambda grey: 255 - grey))
    image.save(place / "cut.png")
    return place


def shown(path: Path) -> Image.Image:
    """A picture, whose file is closed again."""
    with Image.open(path) as image:
        return image.copy()


def ours(joint_engine: Engine, *controls: Control) -> Latents:
    (batch,) = joint_engine.batches([replace(CAT, control=controls)])
    *_, last = joint_engine.steps(batch)
    return last.x


def theirs(joint_engine: Engine, shelf: Shelf, kind: str, networks: list[Path], **more: Any) -> Latents:
    """What diffusers' pipeline of that name paints; hints are encoded to the mean, as ours are."""
    diffusers: Any = pytest.importorskip("diffusers", reason="comes with the extra `bench`", exc_type=ImportError)
    pytest.importorskip("transformers", reason="diffusers builds its pipelines with it")
    part = lambda kind, path, **inside: getattr(diffusers, kind).from_pretrained(
        path, torch_dtype=torch.float32, **inside
    )
    model = shelf("sd3", "folder")
    nets = [part("SD3ControlNetModel", path) for path in networks]
    names = [f"{name}{number}" for name in ("text_encoder", "tokenizer") for number in ("", "_2", "_3")]
    scheduler = dict(joint_engine.bundle.scheduler)
    pipe = getattr(diffusers, kind)(
        transformer=part("SD3Transformer2DModel", model, subfolder="transformer"),
        vae=part("AutoencoderKL", model, subfolder="vae"),
        scheduler=getattr(diffusers, scheduler["_class_name"]).from_config(scheduler),
        controlnet=nets[0] if len(nets) == 1 else diffusers.SD3MultiControlNetModel(nets),
        **dict.fromkeys(names),
    )
    pipe.set_progress_bar_config(disable=True)
    (batch,) = joint_engine.batches([CAT])
    eps, _ = noises(batch, (16, 16, 16), 2)
    wanted, away = (joint_engine.bundle.text([words or ""]) for words in (CAT.prompt, CAT.negative_prompt))
    found: Latents = pipe(
        prompt_embeds=wanted.states, negative_prompt_embeds=away.states, pooled_prompt_embeds=wanted.pooled,
        negative_pooled_prompt_embeds=away.pooled, latents=eps, height=32, width=32, guidance_scale=CAT.guidance,
        num_inference_steps=CAT.steps, output_type="latent", **more,
    ).images  # fmt: skip
    return found


@pytest.fixture(autouse=True)
def the_mean_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    vae: Any = pytest.importorskip("diffusers.models.autoencoders.vae", exc_type=ImportError)
    monkeypatch.setattr(vae.DiagonalGaussianDistribution, "sample", lambda self, generator=None: self.mode())


def same(found: Latents, expected: Latents) -> None:
    apart = (found - expected) / expected.std()
    assert apart.square().mean().sqrt() <= 1e-4
    assert apart.abs().max() <= 5e-4


@pytest.mark.parametrize("kind", ["worded", "loud", "pictures"])
def test_one(joint_engine: Engine, shelf: Shelf, folder: Path, kind: str) -> None:
    found = ours(joint_engine, Control(model=folder / kind, image=folder / "hint.png", weight=0.8, end=0.75))
    image = shown(folder / "hint.png")
    more = {"control_image": image, "controlnet_conditioning_scale": 0.8, "control_guidance_end": 0.75}
    same(found, theirs(joint_engine, shelf, "StableDiffusion3ControlNetPipeline", [folder / kind], **more))
    assert (found - ours(joint_engine)).std() > 1e-2 * found.std()


def test_two(joint_engine: Engine, shelf: Shelf, folder: Path) -> None:
    first = Control(model=folder / "worded", image=folder / "hint.png", weight=0.7, end=0.5)
    second = Control(model=folder / "other", image=folder / "other.png", weight=0.4, begin=0.25)
    images = [shown(folder / f"{name}.png") for name in ("hint", "other")]
    expected = theirs(
        joint_engine, shelf, "StableDiffusion3ControlNetPipeline", [folder / "worded", folder / "other"],
        control_image=images, controlnet_conditioning_scale=[0.7, 0.4], control_guidance_start=[0.0, 0.25],
        control_guidance_end=[0.5, 1.0],
    )  # fmt: skip
    same(ours(joint_engine, first, second), expected)


def test_a_hole(joint_engine: Engine, shelf: Shelf, folder: Path) -> None:
    expected = theirs(
        joint_engine, shelf, "StableDiffusion3ControlNetInpaintingPipeline", [folder / "hole"],
        control_image=shown(folder / "hint.png"), control_mask=shown(folder / "mask.png"),
        controlnet_conditioning_scale=0.95,
    )  # fmt: skip
    same(ours(joint_engine, Control(model=folder / "hole", image=folder / "cut.png", weight=0.95)), expected)
