"""Union ControlNets and control-LoRAs in whole pictures: against diffusers, and against what they are made of."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from inkwash.device import Compute
from inkwash.errors import InvalidRequest
from inkwash.pipeline.engine import Engine
from inkwash.request.control import Control
from inkwash.request.generate import GenerateRequest
from inkwash.request.library import Library
from inkwash.weights.choice import ModelChoice
from inkwash.weights.containers.source import in_memory, open_safetensors
from inkwash.weights.containers.writing import write_source
from inkwash.weights.models import open_model
from tools.checkpoints import Shelf
from tools.helpers import LOOK, low_rank, write_control, write_picture, write_union

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "union.json").read_text())["painted"]
ASKED = GenerateRequest(
    prompt="a photo of a cat", negative_prompt="dogs", width=32, height=32, steps=4, seed=3, guidance=5.0
)
KINDS: Mapping[str, tuple[tuple[str, float], ...]] = {
    "one": (("depth", 0.8),),
    "several": (("openpose", 0.8), ("3", 0.3), ("canny", 1.5)),
}


@pytest.fixture(scope="module")
def engine(shelf: Shelf) -> Engine:
    return Engine(open_model(ModelChoice(shelf("sdxl", "folder"))), Compute(torch.device("cpu"), torch.float32))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Path:
    """Networks and pictures; do not write into it."""
    folder = tmp_path_factory.mktemp("union")
    write_union(folder / "union.safetensors", 8)
    control = open_safetensors(write_control(folder / "control.safetensors", "sdxl"))
    base = {name: weight.detach() for name, weight in engine.bundle.predictor.named_parameters()}
    write_source(folder / "lora.safetensors", in_memory(low_rank(control, base)), {})
    for number in range(3):
        write_picture(folder / f"hint{number}.png", (128, 128), number)
    return folder


def last(engine: Engine, asked: GenerateRequest) -> Tensor:
    *_, step = engine.stream(asked)
    return step.x


def control(folder: Path, name: str, hint: int = 0, **more: Any) -> Control:
    return Control(model=folder / f"{name}.safetensors", image=folder / f"hint{hint}.png", **more)


@pytest.mark.parametrize("case", KINDS)
def test_unions_paint_what_diffusers_paints(engine: Engine, folder: Path, case: str) -> None:
    shown = tuple(control(folder, "union", n, type=kind, weight=weight) for n, (kind, weight) in enumerate(KINDS[case]))
    found, wanted = last(engine, replace(ASKED, control=shown)).flatten(), torch.tensor(GOLDEN[case]["whole"])
    assert (found - wanted).square().mean().sqrt() <= 1e-4 * wanted.std()
    assert (found - wanted).abs().max() <= 5e-4 * wanted.std()


def test_the_preprocessor_tells_the_kind(engine: Engine, folder: Path) -> None:
    short = replace(ASKED, steps=1)
    told, left, other = (
        last(engine, replace(short, control=(control(folder, "union", preprocessor="canny", type=kind),)))
        for kind in ("canny", None, "depth")
    )
    assert torch.equal(told, left)
    assert not torch.equal(told, other)


def test_pictures_of_other_modes_are_shown_apart(engine: Engine, folder: Path) -> None:
    short = replace(ASKED, steps=1)
    one, two = control(folder, "union", 0, type="depth"), control(folder, "union", 1, type="canny")
    both = last(engine, replace(short, control=(one, replace(two, mode="control"))))
    assert both.isfinite().all()
    assert not torch.equal(both, last(engine, replace(short, control=(one, two))))


@pytest.mark.parametrize(
    ("name", "more", "line"),
    [
        ("union", {}, "control.type is None, but must be given, as preprocessor none does not tell it: 0 openpose"),
        ("union", {"type": "8"}, "control.type is '8', but must be what this network takes: 0 openpose"),
        ("control", {"type": "1"}, "control.type is '1', but must be left out: control.safetensors is no union"),
    ],
)
def test_a_wrong_kind_is_refused_in_a_line(
    engine: Engine, folder: Path, name: str, more: dict[str, Any], line: str
) -> None:
    with pytest.raises(InvalidRequest) as error:
        last(engine, replace(ASKED, control=(control(folder, name, **more),)))
    assert str(error.value).startswith(line)


def test_a_control_lora_paints_as_the_controlnet_that_it_was_made_of(engine: Engine, folder: Path) -> None:
    short = replace(ASKED, steps=2)
    one, two = (last(engine, replace(short, control=(control(folder, name),))) for name in ("control", "lora"))
    plain = last(engine, short)
    assert (one - two).abs().max() <= 1e-4 * (one - plain).abs().max()


def test_one_for_another_family_is_refused_in_a_line(engine: Engine, folder: Path, tmp_path: Path) -> None:
    look = "input_blocks.1.1.transformer_blocks.0.attn2.to_k.down"
    few = {"lora_controlnet": torch.empty(0), look: torch.ones(3, 768)}
    write_source(tmp_path / "lora.safetensors", in_memory(few), {})
    wrong = Control(model=tmp_path / "lora.safetensors", image=folder / "hint0.png")
    line = r"for Stable Diffusion XL, as sdxl-folder is; this one is for Stable Diffusion 1$"
    with pytest.raises(InvalidRequest, match=line):
        last(engine, replace(ASKED, control=(wrong,)))


def test_it_is_built_on_the_model_without_the_adapters_of_a_prompt(
    engine: Engine, folder: Path, tmp_path: Path
) -> None:
    ink = {f"{LOOK}.lora_up.weight": torch.ones(64, 2), f"{LOOK}.lora_down.weight": torch.ones(2, 2048) / 100}
    write_source(tmp_path / "ink.safetensors", in_memory(ink), {})
    asked = replace(ASKED, steps=1, control=(control(folder, "lora"),), library=Library(lora_dir=tmp_path))
    inked = replace(asked, prompt="a photo of a cat<lora:ink:1>")
    first, later = (Engine(engine.bundle, engine.compute) for _ in range(2))
    found = last(first, inked)
    plain = last(later, asked)
    assert torch.equal(last(later, inked), found)
    assert not torch.equal(found, plain)
