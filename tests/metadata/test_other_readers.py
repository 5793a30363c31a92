"""What two programs that read pictures of many painters make of ours: sd-parsers and sd-prompt-reader."""

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from inkwash.pipeline.engine import Engine
from inkwash.pipeline.painting import Painting
from inkwash.request.generate import GenerateRequest
from inkwash.request.guidance import PAG, FreeU, Rules
from inkwash.request.hires import Hires
from inkwash.request.memory import Memory
from inkwash.request.noise import Noise
from inkwash.request.tiling import Tiling
from inkwash.reverse.names import LABELS

CAT = GenerateRequest(prompt="a photo of a cat", negative_prompt="a dog", seed=4321, steps=7, guidance=3.5)
OPTIONS = {
    "plain": CAT,
    "nothing unwanted": replace(CAT, negative_prompt=""),
    "many signs": replace(CAT, prompt='a "cat", in the [sun:rain:0.5]; 3:2, (black:1.2) & ünïcødé 猫'),
    "several lines": replace(CAT, prompt="a cat\nin a hat", negative_prompt="a dog\nand a bone"),
    "another shape": replace(CAT, width=64, height=96),
    "another sampler": replace(CAT, sampler="dpmpp_2m", spacing="karras"),
    "ancestral": replace(CAT, sampler="euler_ancestral", spacing="leading"),
    "variation": replace(CAT, subseed=7, subseed_strength=0.25),
    "interval": replace(CAT, guidance_from=0.5, guidance_until=9.0),
    "clip skip": replace(CAT, clip_skip=2),
    "weighting": replace(CAT, prompt="a (cat:1.2)", weighting="plain"),
    "their language": replace(CAT, prompt="a (cat:1.2)", prompt_mode="a1111"),
    "little memory": replace(CAT, memory=Memory(tiled=True, in_turn=True)),
    "a picture": replace(CAT, image=Path("photo.png"), strength=0.4),
    "steered": replace(
        CAT,
        guidance_from=0.01,
        guidance_until=9.0,
        rules=Rules(rescale=0.7, mimic=7.0, projected=True),
        pag=PAG(scale=3.0, layers=("mid", "up_blocks.0"), adaptive=0.001),
        freeu=FreeU(b1=1.2, s2=0.5),
        noise=Noise(rng="batch", columns=True),
        tiling=Tiling(window=16, decode=64),
    ),
    "a second pass": replace(CAT, hires=Hires(scale=2.0, prompt="a cat, in: ink", upscaler="Latent (bicubic)")),
    "a hole": replace(CAT, image=Path("photo.png"), mask=Path("half.png")),
}


@pytest.fixture(params=OPTIONS)
def painting(request: pytest.FixtureRequest, engine: Engine, photo: Path, half: Path) -> Painting:
    """As it would be painted: the pixels do not matter here."""
    asked = OPTIONS[request.param]
    asked = replace(asked, image=asked.image and photo, mask=asked.mask and half)
    (batch,) = engine.batches([asked])
    (full,) = batch.requests
    paper = Image.new("RGB", (full.width or 0, full.height or 0))
    return Painting(paper, full, replace(engine.record([full]), index=0), "tiny")


def words(text: str) -> str:
    """Without line breaks, which readers keep or not."""
    return " ".join(text.split())


def test_sd_parsers(painting: Painting, tmp_path: Path) -> None:
    sd_parsers = pytest.importorskip("sd_parsers")
    painting.save(tmp_path / "a.png")
    found, asked = sd_parsers.ParserManager().parse(tmp_path / "a.png"), painting.request
    assert found is not None
    (sampler,) = found.samplers
    assert [words(each.value) for each in sampler.prompts] == [words(asked.prompt)]
    assert [words(each.value) for each in sampler.negative_prompts] == [words(asked.negative_prompt or "")] * bool(
        asked.negative_prompt
    )
    assert sampler.name == LABELS[str(asked.sampler)]
    told = sampler.parameters
    assert (told["seed"], told["steps"], told["cfg_scale"]) == ("4321", "7", "3.5")
    assert (sampler.model.name, found.metadata["Size"]) == ("tiny", f"{asked.width}x{asked.height}")
    assert sampler.model.hash == painting.record.model["predictor.safetensors"][:10]


def test_sd_prompt_reader(painting: Painting, tmp_path: Path) -> None:
    pytest.importorskip("piexif")
    reader = pytest.importorskip("sd_prompt_reader.image_data_reader")
    painting.save(tmp_path / "a.png")
    found, asked = reader.ImageDataReader(tmp_path / "a.png"), painting.request
    assert found.status.name == "READ_SUCCESS"
    assert words(found.positive) == words(asked.prompt)
    assert words(found.negative) == words(asked.negative_prompt or "")
    wanted = {
        "model": "tiny",
        "sampler": LABELS[str(asked.sampler)],
        "seed": "4321",
        "cfg": "3.5",
        "steps": "7",
        "size": f"{asked.width}x{asked.height}",
    }
    assert {name: str(found.parameter[name]) for name in wanted} == wanted
