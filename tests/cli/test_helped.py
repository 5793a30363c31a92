"""Controls, picture prompts, adapters and learned words on the command line: painted, and painted again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from inkwash.weights.family import identified
from inkwash.weights.gathered import readable
from tools.checkpoints import Shelf
from tools.helpers import (
    write_control,
    write_ip_adapter,
    write_lora,
    write_picture,
    write_tower,
    write_union,
    write_word,
)

Inkwash = Callable[..., Any]
ASKED = ("--width", "32", "--height", "32", "--steps", "2", "--seed", "5", "--device", "cpu", "--preview", "off")


def test_everything_at_once_is_painted_again_byte_for_byte(inkwash: Inkwash, shelf: Shelf, tmp_path: Path) -> None:
    control, look = write_control(tmp_path / "net.safetensors", "sd1"), tmp_path / "look.safetensors"
    write_ip_adapter(look, "sd1", "plain")
    tower, picture = write_tower(tmp_path / "tower.safetensors"), write_picture(tmp_path / "a.png", (48, 40))
    write_lora(tmp_path / "loras/ink.safetensors")
    write_word(tmp_path / "words/foxfire.safetensors", {"emb_params": 768})
    words = (
        *(
            "--control",
            f"{control},{picture},preprocessor=canny,weight=0.8,end=0.5",
            "--control",
            f"{control},{picture}",
        ),
        *("--ip-adapter", f"{look},{picture},weight=0.6,encoder={tower}"),
        *("--lora-dir", tmp_path / "loras", "--embeddings", tmp_path / "words"),
    )
    model = shelf("sd1", "folder")
    done = inkwash("paint", "a foxfire cat<lora:ink:0.5>", "--model", model, *ASKED, *words)
    assert (done.code, len(done.paths)) == (0, 1), done.err
    with Image.open(done.paths[0]) as picture_made:
        told = picture_made.info["parameters"]
    assert (
        'ControlNet 0: "Module: canny, Model: net, Weight: 0.8, Resize Mode: Crop and Resize, Threshold A: 100' in told
    )
    assert 'ControlNet 2: "Module: ip-adapter_clip, Model: look, Weight: 0.6' in told
    again = inkwash("again", done.paths[0], "--preview", "off")
    assert (again.code, "the same file, byte for byte" in again.err) == (0, True), again.err
    assert again.paths[0].read_bytes() == done.paths[0].read_bytes()
    write_picture(picture, (48, 40), 7)
    changed = inkwash("again", done.paths[0], "--preview", "off")
    assert (changed.code, "its content has changed" in changed.err) == (2, True)


def test_a_union_controlnet_with_two_pictures_is_painted_again(inkwash: Inkwash, shelf: Shelf, tmp_path: Path) -> None:
    union, picture = write_union(tmp_path / "union.safetensors"), write_picture(tmp_path / "a.png", (48, 40))
    told = inkwash("info", union)
    assert "controlnet union" in told.out
    assert "0 openpose/pose/dwpose, 1 depth, 2 hed" in told.out
    shown = ("--control", f"{union},{picture},preprocessor=canny", "--control", f"{union},{picture},type=depth")
    done = inkwash("paint", "a cat", "--model", shelf("sdxl", "folder"), *ASKED, *shown)
    assert (done.code, len(done.paths)) == (0, 1), done.err
    again = inkwash("again", done.paths[0], "--preview", "off")
    assert (again.code, "the same file, byte for byte" in again.err) == (0, True), again.err
    wrong = inkwash("paint", "a cat", *ASKED, "--control", f"{union},{picture},type=dog")
    assert (wrong.code, wrong.err.count("\n")) == (2, 1)
    assert "control.type is 'dog', but must be one of 0 openpose" in wrong.err


def test_mistakes_take_one_line(inkwash: Inkwash, shelf: Shelf, tmp_path: Path) -> None:
    other = write_control(tmp_path / "net.safetensors", "sd2")
    picture = write_picture(tmp_path / "a.png", (48, 40))
    wrong = inkwash("paint", "a cat", "--model", shelf("sd1", "folder"), *ASKED, "--control", f"{other},{picture}")
    assert (wrong.code, wrong.err.count("\n")) == (2, 1)
    assert "but must be for Stable Diffusion 1, as sd1-folder is; this one is for Stable Diffusion 2" in wrong.err
    unknown = inkwash("paint", "a cat", *ASKED, "--control", f"{other},{picture},preprocessor=cany")
    assert (unknown.code, unknown.err.count("\n")) == (2, 1)
    assert "control.preprocessor is 'cany', but must be one of none, canny" in unknown.err


def test_prepare_shows_what_a_control_sees(inkwash: Inkwash, tmp_path: Path) -> None:
    picture = write_picture(tmp_path / "a.png", (48, 40))
    done = inkwash("prepare", picture, "canny", "edges.png", "--width", "64", "--height", "64", "--resize", "pad")
    assert done.code == 0, done.err
    with Image.open(done.paths[0]) as edges:
        assert (edges.size, done.out) == ((64, 64), "edges.png\n")
    assert inkwash("prepare", picture, "canny", "edges.png").code == 5
    assert (
        "must be left out: invert has no such"
        in inkwash("prepare", picture, "invert", "b.png", "--threshold-a", "3").err
    )


def test_lora_bake_extract_resize(inkwash: Inkwash, shelf: Shelf, tmp_path: Path) -> None:
    file, single = write_lora(tmp_path / "ink.safetensors", rank=4), shelf("sd1", "single")
    baked = inkwash("lora", "bake", single, f"{file}:0.5", "baked.safetensors", "--dtype", "float32")
    assert (baked.code, baked.out) == (0, "baked.safetensors\n"), baked.err
    taken = inkwash("lora", "extract", "baked.safetensors", single, "taken.safetensors", "--rank", "4")
    assert taken.code == 0, taken.err
    small = inkwash("lora", "resize", "taken.safetensors", "small.safetensors", "--rank", "2")
    assert small.code == 0, small.err
    details = identified(readable(small.paths[0])).details or {}
    assert (details["naming"], details["rank"], details["modules"]) == ("kohya", "2", "2")
    assert inkwash("lora", "bake", single, "x.safetensors").code == 2
    assert "out is 'x.ckpt'" in inkwash("lora", "resize", file, "x.ckpt").err
