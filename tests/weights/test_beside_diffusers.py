"""Whole models in small, saved by diffusers and painted by both: from the words to the last latents."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer as Machine
from tokenizers.processors import TemplateProcessing
from torch import Tensor

import inkwash
from inkwash.request.generate import GenerateRequest
from inkwash.rng import NoiseSource
from inkwash.weights.single import Base
from tools.checkpoints import SPOKEN, Shelf

diffusers = pytest.importorskip("diffusers")
transformers = pytest.importorskip("transformers")
pytestmark = pytest.mark.filterwarnings("ignore")

BAR = 1e-4
"""Of the standard deviation of the latents, for the root of the mean square of what differs."""
CAT = GenerateRequest(  # without "!", which fills prompts up: transformers cannot type it then
    prompt="a photo of a cat", negative_prompt="two dogs", seed=5, steps=4, guidance=4.0, width=64, height=64
)
EULER = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "timestep_spacing": "trailing"}
"""Steps that both worlds begin in the same noise: from the last one down."""


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Both libraries show bars, and remark on the smallness of the vocabulary."""
    diffusers.utils.logging.disable_progress_bar()
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


def scheduler(base: Base) -> Any:
    if base == "sd3":
        return diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0)
    told = "v_prediction" if base == "sd2" else "epsilon"
    return diffusers.EulerDiscreteScheduler(prediction_type=told, **EULER)


def tower(folder: Path, name: str) -> Any:
    pooled = json.loads((folder / name / "config.json").read_text())["architectures"][0]
    return getattr(transformers, pooled).from_pretrained(folder / name, eos_token_id=SPOKEN.end, dtype=torch.float32)


def reader(folder: Path) -> Any:
    """As the folder says; transformers wants to be told how long a prompt is, and what fills it up."""
    padding = json.loads((folder / "special_tokens_map.json").read_text())["pad_token"]
    return transformers.CLIPTokenizer.from_pretrained(folder, model_max_length=77, pad_token=padding)


def long_reader(folder: Path) -> Any:
    machine = Machine.from_file(str(folder / "tokenizer.json"))
    machine.post_processor = TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    names = {"eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=machine, model_max_length=256, **names)


def pipeline(folder: Path, base: Base) -> Any:
    """diffusers' own, its parts read from a folder of ours."""
    parts: dict[str, Any] = {"scheduler": scheduler(base)}
    parts["vae"] = diffusers.AutoencoderKL.from_pretrained(folder / "vae")
    for place in sorted(folder.glob("text_encoder*")):
        last = place.name.endswith("_3")
        long = lambda: transformers.T5EncoderModel.from_pretrained(place, dtype=torch.float32)  # noqa: B023
        parts[place.name] = long() if last else tower(folder, place.name)
        words = folder / place.name.replace("text_encoder", "tokenizer")
        parts[words.name] = long_reader(words) if last else reader(words)
    if base == "sd3":
        parts["transformer"] = diffusers.SD3Transformer2DModel.from_pretrained(folder / "transformer")
        return diffusers.StableDiffusion3Pipeline(**parts)
    parts["unet"] = diffusers.UNet2DConditionModel.from_pretrained(folder / "unet")
    if base == "sdxl":
        return diffusers.StableDiffusionXLPipeline(**parts)
    nobody = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
    return diffusers.StableDiffusionPipeline(**parts, **nobody)


def theirs(pipe: Any, eps: Tensor) -> Tensor:
    pipe.set_progress_bar_config(disable=True)
    found = pipe(
        CAT.prompt,
        negative_prompt=CAT.negative_prompt,
        num_inference_steps=CAT.steps,
        guidance_scale=CAT.guidance,
        height=CAT.height,
        width=CAT.width,
        latents=eps,
        output_type="latent",
    )
    return found.images  # type: ignore[no-any-return]


@pytest.mark.parametrize("base", ["sd1", "sd2", "sdxl", "sd3"])
def test_both_paint_the_same(shelf: Shelf, tmp_path: Path, base: Base) -> None:
    pipe = pipeline(shelf(base, "folder"), base)
    pipe.save_pretrained(tmp_path / base)
    painter = inkwash.load(tmp_path / base, device="cpu")
    bundle = painter.engine.bundle
    factor = bundle.autoencoder.spec.factor
    shape = (bundle.autoencoder.spec.latent_channels, 64 // factor, 64 // factor)
    wanted = theirs(pipe, NoiseSource.seeded([5]).draw(shape))
    *_, step = painter.stream(CAT)
    apart = (step.x - wanted).square().mean().sqrt() / wanted.std()
    assert apart < BAR, f"{apart:.1e}"
    assert not torch.equal(wanted, torch.zeros_like(wanted))
