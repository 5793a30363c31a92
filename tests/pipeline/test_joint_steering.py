"""Controls of Stable Diffusion 3: what their networks see, when they act, and what is refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

from inkwash.errors import InvalidRequest
from inkwash.pictures.photo import read_photo
from inkwash.pictures.picture import pixels_of
from inkwash.pipeline.engine import Engine
from inkwash.pipeline.joint_steering import fits, seen_latents, unshifted
from inkwash.predictor.joint_control import JointControlSpec
from inkwash.predictor.mmdit_spec import SD3_MEDIUM, SD35_LARGE, SD35_MEDIUM
from inkwash.request.control import Control
from inkwash.request.generate import GenerateRequest
from inkwash.request.guidance import SLG
from inkwash.weights.choice import ModelChoice
from inkwash.weights.models import open_model
from tools.checkpoints import Shelf
from tools.helpers import write_control
from tools.joint_controls import KINDS

ASKED = GenerateRequest(prompt="a photo of a cat", width=32, height=32, steps=2, seed=3, guidance=5.0)


def net(joint_folder: Path, kind: str, **more: Any) -> Control:
    return Control(model=joint_folder / kind, image=more.pop("image", joint_folder / "hint.png"), **more)


def last(joint_engine: Engine, *controls: Control, **more: Any) -> Tensor:
    *_, step = joint_engine.stream(replace(ASKED, control=controls, **more))
    return step.x


@pytest.mark.parametrize("kind", ["worded", "pictures"])
def test_it_steers_as_strongly_and_as_long_as_it_is_asked(joint_engine: Engine, joint_folder: Path, kind: str) -> None:
    plain, full = last(joint_engine), last(joint_engine, net(joint_folder, kind))
    assert (full - plain).std() > 0.01 * plain.std()
    assert torch.equal(last(joint_engine, net(joint_folder, kind, weight=0.0)), plain)
    assert torch.equal(last(joint_engine, net(joint_folder, kind, begin=0.3, end=0.4)), plain)
    half = last(joint_engine, net(joint_folder, kind, end=0.5))
    assert not torch.equal(half, plain)
    assert not torch.equal(half, full)


def test_two_halves_are_a_whole_and_layers_may_be_left_out_beside_it(joint_engine: Engine, joint_folder: Path) -> None:
    half, whole = net(joint_folder, "worded", weight=0.5), net(joint_folder, "worded")
    torch.testing.assert_close(last(joint_engine, half, half), last(joint_engine, whole), rtol=1e-4, atol=1e-4)
    slg = SLG(scale=2.0, layers=(0,), start=0.0, stop=1.0)
    assert not torch.equal(last(joint_engine, whole, slg=slg), last(joint_engine, slg=slg))


def test_guidance_in_turn_and_at_once_are_the_same(joint_engine: Engine, joint_folder: Path) -> None:
    control = net(joint_folder, "worded")
    in_turn = last(joint_engine, control, memory=replace(ASKED.memory, in_turn=True))
    torch.testing.assert_close(in_turn, last(joint_engine, control), rtol=1e-4, atol=1e-4)


def test_what_it_sees_is_in_the_units_it_was_taught_with(joint_engine: Engine, joint_folder: Path) -> None:
    bundle, control = joint_engine.bundle, net(joint_folder, "worded")
    pixels = pixels_of([read_photo(control.image)])
    usual = bundle.autoencoder.encode(pixels)
    seen = lambda spec: seen_latents(control, spec, ASKED, bundle)
    assert torch.equal(seen(KINDS["pictures"]), usual)
    torch.testing.assert_close(seen(KINDS["worded"]) - usual, torch.full_like(usual, 1.5305 * 0.0609))
    assert torch.equal(unshifted(usual, bundle), seen(KINDS["worded"]))
    glaring = seen(replace(KINDS["pictures"], glaring=True))
    torch.testing.assert_close(glaring, bundle.autoencoder.encode((pixels + 1) / 2 * 255 * 0.5 + 0.5))


@pytest.fixture(scope="module")
def transparent(joint_folder: Path) -> Path:
    """The picture without its left half."""
    image = Image.open(joint_folder / "hint.png").convert("RGBA")
    image.putalpha(Image.new("L", (32, 32), 255))
    image.paste((0, 0, 0, 0), (0, 0, 16, 32))
    image.save(joint_folder / "cut.png")
    return joint_folder / "cut.png"


def test_a_hole_is_what_is_transparent_or_masked(joint_engine: Engine, joint_folder: Path, transparent: Path) -> None:
    seen = seen_latents(net(joint_folder, "hole", image=transparent), KINDS["hole"], ASKED, joint_engine.bundle)
    pixels = pixels_of([read_photo(joint_folder / "hint.png")])
    pixels[..., :16] = -1
    assert torch.equal(seen[:, :16], joint_engine.bundle.autoencoder.encode(pixels))
    assert torch.equal(seen[:, 16], torch.cat([torch.zeros(1, 16, 8), torch.ones(1, 16, 8)], dim=2))
    mask = Image.new("L", (32, 32))
    mask.paste(255, (0, 0, 16, 32))
    mask.save(joint_folder / "mask.png")
    masked = replace(ASKED, image=joint_folder / "hint.png", mask=joint_folder / "mask.png")
    assert torch.equal(seen_latents(net(joint_folder, "hole"), KINDS["hole"], masked, joint_engine.bundle), seen)
    assert not torch.equal(last(joint_engine, net(joint_folder, "hole", image=transparent)), last(joint_engine))


def test_without_a_hole_a_filler_of_holes_says_what_it_wants(joint_engine: Engine, joint_folder: Path) -> None:
    line = r"control\.image is .*hint\.png', but must be transparent where it is to be painted anew, or beside a mask"
    with pytest.raises(InvalidRequest, match=line):
        last(joint_engine, net(joint_folder, "hole"))


def test_what_cannot_be_is_refused_in_a_line(
    joint_engine: Engine, joint_folder: Path, tmp_path: Path, shelf: Shelf
) -> None:
    with pytest.raises(InvalidRequest, match=r"control\.mode is 'prompt', but must be balanced"):
        last(joint_engine, net(joint_folder, "worded", mode="prompt"))
    other = write_control(tmp_path / "sd1.safetensors", "sd1")
    line = "a ControlNet for .*, as sd3-folder is; this controlnet is for Stable Diffusion 1"
    with pytest.raises(InvalidRequest, match=line):
        last(joint_engine, Control(model=other, image=joint_folder / "hint.png"))
    first = Engine(open_model(ModelChoice(shelf("sd1", "folder"))), joint_engine.compute)
    with pytest.raises(
        InvalidRequest, match=r"control is .*for a U-Net; this one is for an unknown relative of Stable"
    ):
        last(first, net(joint_folder, "worded"))


def test_a_control_is_for_one_of_the_three_released_transformers() -> None:
    alone = replace(SD35_LARGE, depth=19, text_width=0, qk_norm=False)
    three = (SD3_MEDIUM, SD35_MEDIUM, SD35_LARGE)
    controls = {
        JointControlSpec(replace(SD3_MEDIUM, depth=6)): SD3_MEDIUM,
        JointControlSpec(replace(SD35_MEDIUM, depth=12)): SD35_MEDIUM,
        JointControlSpec(alone, worded=False, placed=False, silent=False): SD35_LARGE,
    }
    for control, wanted in controls.items():
        assert [fits(control, large) for large in three] == [large is wanted for large in three]
