"""Controls and picture prompts of small released checkpoints, against what diffusers' pipelines paint with the same."""

import json
from collections.abc import Sequence
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
from inkwash.request.picture_prompt import PicturePrompt
from inkwash.weights.choice import ModelChoice
from inkwash.weights.containers.source import open_safetensors
from inkwash.weights.containers.writing import write_source
from inkwash.weights.models import open_model
from inkwash.weights.names import unet
from inkwash.weights.names.recipe import recast
from inkwash.weights.single import Base
from tools.checkpoints import Shelf
from tools.helpers import write_control, write_ip_adapter, write_picture, write_t2i, write_tower

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "helped.json").read_text())
ASKED = GenerateRequest(
    prompt="a photo of a cat", negative_prompt="dogs", width=32, height=32, steps=4, seed=3, guidance=5.0
)


@pytest.fixture(scope="session")
def engines(shelf: Shelf) -> dict[Base, Engine]:
    bases: tuple[Base, ...] = ("sd1", "sdxl")
    cpu = Compute(torch.device("cpu"), torch.float32)
    return {base: Engine(open_model(ModelChoice(shelf(base, "folder"))), cpu) for base in bases}


@pytest.fixture(scope="session")
def helped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of helpers and pictures; do not write into it."""
    folder = tmp_path_factory.mktemp("helpers")
    for base in ("sd1", "sdxl"):
        write_control(folder / f"{base}-11.safetensors", base, 11)
        write_control(folder / f"{base}-12.safetensors", base, 12)
        write_t2i(folder / f"{base}-t2i.safetensors", base)
        for kind in ("plain", "plus"):
            write_ip_adapter(folder / f"{base}-{kind}.safetensors", base, kind)
    (folder / "image_encoder").mkdir()
    write_tower(folder / "image_encoder/model.safetensors")
    write_picture(folder / "hint.png", (128, 128))
    write_picture(folder / "look.png", (50, 40), 1)
    write_picture(folder / "look2.png", (50, 60), 2)
    return folder


def last(engine: Engine, asked: GenerateRequest) -> Tensor:
    *_, step = engine.stream(asked)
    return step.x


def net(folder: Path, name: str, **more: Any) -> Control:
    return Control(model=folder / f"{name}.safetensors", image=folder / "hint.png", **more)


def controls(base: Base, folder: Path, case: str) -> Sequence[Control]:
    first = net(folder, f"{base}-11", weight=0.8)
    several = (replace(first, end=0.5), net(folder, f"{base}-12", weight=0.3, begin=0.25))
    adapter = net(folder, f"{base}-t2i", weight=0.7, end=0.75 if base == "sdxl" else 1.0)
    return {"one": (first,), "two": several, "guess": (replace(first, mode="control"),), "t2i": (adapter,)}[case]


def same(found: Tensor, golden: dict[str, Any]) -> None:
    flat = found.double().flatten()
    apart = torch.cat([flat[:24], flat[-24:]]) - torch.tensor(golden["head"] + golden["tail"], dtype=torch.float64)
    assert apart.square().mean().sqrt() <= 1e-4 * golden["std"]
    assert flat.std().item() == pytest.approx(golden["std"], rel=1e-4)
    assert flat.abs().sum().item() == pytest.approx(golden["sum_abs"], rel=1e-4)


@pytest.mark.parametrize("case", ["one", "two", "guess", "t2i"])
@pytest.mark.parametrize("base", ["sd1", "sdxl"])
def test_controls_paint_what_diffusers_paints(engines: dict[Base, Engine], helped: Path, base: Base, case: str) -> None:
    same(last(engines[base], replace(ASKED, control=tuple(controls(base, helped, case)))), GOLDEN[f"{base}.{case}"])


@pytest.mark.parametrize("kind", ["plain", "plus"])
@pytest.mark.parametrize("base", ["sd1", "sdxl"])
def test_picture_prompts_paint_what_diffusers_paints(
    engines: dict[Base, Engine], helped: Path, base: Base, kind: str
) -> None:
    pictures = (helped / "look.png", helped / "look2.png")
    look = PicturePrompt(model=helped / f"{base}-{kind}.safetensors", images=pictures, weight=0.6)
    same(last(engines[base], replace(ASKED, ip_adapter=(look,))), GOLDEN[f"{base}.{kind}"])


def test_without_weight_or_time_nothing_is_changed(engines: dict[Base, Engine], helped: Path) -> None:
    engine, short = engines["sd1"], replace(ASKED, steps=2)
    plain = last(engine, short)
    for control in (net(helped, "sd1-11", weight=0.0), net(helped, "sd1-11", begin=0.3, end=0.4)):
        assert torch.equal(last(engine, replace(short, control=(control,))), plain)
    look = PicturePrompt(model=helped / "sd1-plain.safetensors", images=(helped / "look.png",), begin=0.3, end=0.4)
    assert torch.equal(last(engine, replace(short, ip_adapter=(look,))), plain)


def test_prompt_mode_is_weaker_but_there(engines: dict[Base, Engine], helped: Path) -> None:
    short = replace(ASKED, steps=2)
    plain, *found = (
        last(engines["sd1"], replace(short, control=each))
        for each in ((), (net(helped, "sd1-11", mode="prompt"),), (net(helped, "sd1-11"),))
    )
    weak, strong = ((each - plain).std() for each in found)
    assert 0 < weak < strong


def test_names_of_the_original_code_are_the_same_network(
    engines: dict[Base, Engine], helped: Path, tmp_path: Path
) -> None:
    short = replace(ASKED, steps=1)
    modern = open_safetensors(helped / "sd1-11.safetensors")
    old = recast(modern, unet.to_ldm(list(modern.slots)))
    write_source(tmp_path / "old.safetensors", old.renamed({f"control_model.{name}": name for name in old.slots}), {})
    both = (helped / "sd1-11.safetensors", tmp_path / "old.safetensors")
    one, two = (replace(short, control=(Control(model=path, image=helped / "hint.png"),)) for path in both)
    assert torch.equal(last(engines["sd1"], one), last(engines["sd1"], two))


def test_what_was_made_for_another_model_is_refused_in_a_line(
    engines: dict[Base, Engine], helped: Path, tmp_path: Path
) -> None:
    line = r"control is .*, but must be for Stable Diffusion XL, as sdxl-folder is; this one is for Stable Diffusion 1$"
    for name in ("sd1-11", "sd1-t2i"):
        with pytest.raises(InvalidRequest, match=line):
            last(engines["sdxl"], replace(ASKED, control=(net(helped, name),)))
    with pytest.raises(InvalidRequest, match=r"control is .*a ControlNet or a T2I-Adapter; this is a ip-adapter plain"):
        last(engines["sd1"], replace(ASKED, control=(net(helped, "sd1-plain"),)))
    look = PicturePrompt(model=helped / "sdxl-plus.safetensors", images=(helped / "look.png",))
    with pytest.raises(InvalidRequest, match="IP-Adapter"):
        last(engines["sd1"], replace(ASKED, ip_adapter=(look,)))
    wrong = replace(look, model=helped / "sd1-plain.safetensors", encoder=helped / "sd1-t2i.safetensors")
    with pytest.raises(InvalidRequest, match=r"ip_adapter\.encoder is .*a vision tower of CLIP; this is a t2i-adapter"):
        last(engines["sd1"], replace(ASKED, ip_adapter=(wrong,)))
