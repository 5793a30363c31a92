"""From the words of a user to files on the disk, with a model of noise."""

import errno
import os
import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from inkwash.cli.easel import threads
from inkwash.metadata.record import read_record

Inkwash = Callable[..., Any]


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_one_picture(inkwash: Inkwash, tiny_folder: Path, tmp_path: Path) -> None:
    answer = inkwash("paint", "a photo of a cat", "--model", tiny_folder, "--seed", "7")
    assert answer.code == 0
    assert answer.out == "a-photo-of-a-cat.png\n"
    assert files(tmp_path) == ["a-photo-of-a-cat.png"]
    with Image.open(tmp_path / answer.paths[0]) as image:
        assert image.size == (32, 32)
        assert "Seed: 7," in image.info["parameters"]


def test_several_prompts_take_seeds_that_follow(inkwash: Inkwash, tiny_folder: Path) -> None:
    answer = inkwash("paint", "a cat", "a dog", "--count", "2", "--model", tiny_folder, "--seed", "7")
    assert [str(path) for path in answer.paths] == ["a-cat.png", "a-cat-1.png", "a-dog.png", "a-dog-1.png"]
    records = [read_record(path) for path in answer.paths]
    seeds = [[request.seed for request in record.requests] for record in records]
    assert seeds == [[7, 9]] * 4
    assert [record.index for record in records] == [0, 1, 2, 3]


def test_prompts_from_a_file(inkwash: Inkwash, tiny_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "prompts.txt").write_text("a cat\n\n  画一只猫 \n")
    answer = inkwash("paint", "a dog", "--prompts-file", "prompts.txt", "--model", tiny_folder)
    assert [str(path) for path in answer.paths] == ["a-dog.png", "a-cat.png", "画一只猫.png"]


def test_a_sheet_and_a_film(inkwash: Inkwash, tiny_folder: Path, tmp_path: Path) -> None:
    words = ("a cat", "a dog", "--count", "3", "--sheet", "pets.png", "--columns", "3", "--watch")
    answer = inkwash("paint", *words, "--model", tiny_folder)
    assert answer.out == "pets.png\npets.webp\n"
    with Image.open("pets.png") as sheet, Image.open("pets.webp") as film:
        assert sheet.size == (4 + 3 * 36, 4 + 2 * 36)
        assert film.n_frames == 3  # type: ignore[attr-defined]
    assert files(tmp_path) == ["pets.png", "pets.webp"]


def test_random_seeds_are_recorded(inkwash: Inkwash, tiny_folder: Path) -> None:
    first, second = (inkwash("paint", "a cat", "--model", tiny_folder).paths[0] for _ in range(2))
    assert read_record(first).requests[0].seed != read_record(second).requests[0].seed


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 48, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    hole = Image.new("L", (48, 40))
    hole.paste(255, (24, 0, 48, 40))
    hole.save(tmp_path / "mask.png")
    return tmp_path / "photo.png"


@pytest.mark.parametrize(
    "words",
    [
        ("a cat",),
        ("a cat", "--count", "3"),
        ("a cat", "a dog", "--count", "2", "--sampler", "euler_ancestral"),
        ("a cat", "--image", "photo.png", "--strength", "0.6"),
        ("a cat", "--image", "photo.png", "--mask", "mask.png"),
        ("a cat", "--subseed", "5", "--subseed-strength", "0.3", "--count", "2"),
        ("a cat", "a dog", "--count", "9", "--sheet", "sheet.png"),
        ("a cat", "--image", "photo.png", "--mask", "mask.png", "--inpaint.only-masked", "--inpaint.blur", "2"),
        ("a cat", "--image", "photo.png", "--outpaint.left", "9", "--count", "2"),
        ("a cat", "--hires.scale", "1.5", "--hires.upscaler", "latent bicubic", "--hires.steps", "2"),
        ("a cat", "--tiling.seamless", "both"),
        ("a {cat|dog}|asleep", "--choices", "--matrix", "--count", "2"),
    ],
)
def test_again_is_the_same_file_byte_for_byte(
    inkwash: Inkwash, tiny_folder: Path, photo: Path, words: tuple[str, ...]
) -> None:
    last = inkwash("paint", *words, "--model", tiny_folder).paths[-1]
    answer = inkwash("again", last)
    assert answer.paths == [last.with_name(f"{last.stem}-again.png")]
    assert answer.paths[0].read_bytes() == last.read_bytes()
    assert answer.err == "the same file, byte for byte\n"


def test_again_from_another_process(process: Inkwash, tiny_folder: Path, tmp_path: Path) -> None:
    painted = process("paint", "a photo of a cat", "画一只猫", "--model", tiny_folder, "--watch")
    assert (painted.code, painted.err) == (0, "")
    assert painted.out == "a-photo-of-a-cat.png\n画一只猫.png\na-photo-of-a-cat.webp\n"
    repainted = process("again", "画一只猫.png", "--out", "new.png")
    assert (repainted.code, repainted.out) == (0, "new.png\n")
    assert (tmp_path / "new.png").read_bytes() == (tmp_path / "画一只猫.png").read_bytes()


def test_again_sums_with_as_many_threads(inkwash: Inkwash, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from inkwash.pipeline.engine import Engine

    steps, seen = Engine.steps, []

    def watched(*given: Any) -> Any:
        seen.append(torch.get_num_threads())
        return steps(*given)

    monkeypatch.setattr(Engine, "steps", watched)
    before = torch.get_num_threads()
    with threads(before + 1):
        path = inkwash("paint", "a cat", "--model", tiny_folder).paths[0]
    assert inkwash("again", path).err == "the same file, byte for byte\n"
    assert seen == [before + 1] * 2
    assert torch.get_num_threads() == before


def test_again_tells_when_the_bytes_differ(inkwash: Inkwash, tiny_folder: Path) -> None:
    path = inkwash("paint", "a cat", "--model", tiny_folder).paths[0]
    path.write_bytes(path.read_bytes() + b"trailing")
    assert "not the same bytes" in inkwash("again", path).err


def test_again_wants_the_same_model_and_pictures(
    inkwash: Inkwash, tiny_folder: Path, photo: Path, tmp_path: Path
) -> None:
    model = shutil.copytree(tiny_folder, tmp_path / "model")
    path = inkwash("paint", "a cat", "--image", photo, "--model", model).paths[0]
    photo.write_bytes((tmp_path / "mask.png").read_bytes())
    changed = inkwash("again", path)
    assert (changed.code, changed.err.count("\n")) == (2, 1)
    assert "its content has changed" in changed.err
    shutil.rmtree(model)
    assert inkwash("again", path).code == 2


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-50])


@pytest.fixture
def spoilt(tiny_folder: Path, photo: Path, tmp_path: Path) -> None:
    """Models and pictures that are broken, each in its own way."""
    cut(Path(shutil.copytree(tiny_folder, tmp_path / "cut")) / "predictor.safetensors")
    foreign = Path(shutil.copytree(tiny_folder, tmp_path / "foreign"))
    shutil.copyfile(foreign / "predictor.safetensors", foreign / "text.safetensors")
    unknown = Path(shutil.copytree(tiny_folder, tmp_path / "unknown")) / "model.json"
    unknown.write_text(unknown.read_text().replace("{", '{"colour": 1,', 1))
    (tmp_path / "broken.png").write_bytes(photo.read_bytes()[:1000])
    (tmp_path / "page.png").write_text("<html>")


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (["--sampler", "eular"], 2, "sampler is 'eular', but must be one of euler, euler_ancestral"),
        (["--spacing", "wide"], 2, "spacing is 'wide', but must be one of karras"),
        (["--width", "33"], 2, "width is 33, but must be a multiple of 4"),
        (["--width", "9999"], 2, "width is 9999, but must be a whole number from 8 to 4096"),
        (["--steps", "0"], 2, "steps is 0, but must be a whole number from 1 to 1000"),
        (["--guidance", "nan"], 2, "guidance is nan, but must be a number from 0 to 100"),
        (["--image", "nowhere.png"], 2, "image is 'nowhere.png', but must be a picture that can be read"),
        (["--image", "broken.png"], 2, "image is 'broken.png', but must be a whole picture, but it is broken"),
        (["--image", "page.png"], 2, "image is 'page.png', but must be a picture (PNG, JPEG"),
        (["--mask", "photo.png"], 2, "mask is 'photo.png', but must be given together with an image"),
        (["--model", "cats"], 2, "model is 'cats', but must be"),
        (["--model", "cut"], 3, "cut/predictor.safetensors: it is cut off"),
        (["--model", "foreign"], 3, "foreign/text.safetensors is not the file that model.json vouches for"),
        (["--model", "unknown"], 3, "unknown/model.json: colour is 1, but must be left out"),
        (["--device", "abacus"], 2, "device is 'abacus', but must be one of auto, cpu"),
        (["--prompts-file", "none.txt"], 2, "prompts_file is 'none.txt', but must be a text file"),
        (["--out", "cat.jpg"], 2, "out is 'cat.jpg', but must be a .png, or for --out a folder"),
        (["--out", "photo.png/below"], 5, "cannot write photo.png/below: "),
        (["--out", "/proc/nowhere"], 5, "cannot write /proc/nowhere"),
    ],
)
@pytest.mark.usefixtures("spoilt")
def test_bad_input_gets_one_line_and_leaves_nothing_behind(
    inkwash: Inkwash, tiny_folder: Path, words: list[str], code: int, line: str
) -> None:
    before = files(Path.cwd())
    model = [] if "--model" in words else ["--model", str(tiny_folder)]
    answer = inkwash("paint", "a cat", *model, *words)
    assert answer.err.startswith(f"inkwash: {line}"), answer.err
    assert (answer.code, answer.err.count("\n"), answer.out) == (code, 1, "")
    assert files(Path.cwd()) == before


def test_no_prompt_is_said_before_anything_is_loaded(inkwash: Inkwash) -> None:
    answer = inkwash("paint", "--model", "nowhere")
    assert answer.code == 2
    assert answer.err.startswith("inkwash: prompt is '', but must be given")


def no_space(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_leaves_no_part_of_a_file(
    inkwash: Inkwash, tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", no_space)
    answer = inkwash("paint", "a cat", "--model", tiny_folder)
    assert (answer.code, answer.out, answer.err) == (5, "", "inkwash: cannot write a-cat.png: the disk is full\n")
    assert files(tmp_path) == []


def test_a_limit_on_file_sizes_leaves_no_part_of_a_file(process: Inkwash, tiny_folder: Path, tmp_path: Path) -> None:
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    answer = process("paint", "a cat", "--model", tiny_folder, before=limited)
    assert (answer.code, answer.out, answer.err) == (5, "", "inkwash: cannot write a-cat.png: File too large\n")
    assert files(tmp_path) == []


def test_a_folder_that_may_not_be_written(
    inkwash: Inkwash, tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # to root every folder is writable
    answer = inkwash("paint", "a cat", "--model", tiny_folder)
    assert (answer.code, answer.err) == (5, "inkwash: cannot write into .: permission denied\n")
    assert files(tmp_path) == []


def test_what_was_finished_before_an_interrupt_is_kept_and_told(
    inkwash: Inkwash, tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from inkwash.pipeline.engine import Engine

    finish = Engine.finish

    def impatient(*given: Any) -> Any:
        monkeypatch.setattr(Engine, "finish", interrupted)
        return finish(*given)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Engine, "finish", impatient)
    answer = inkwash("paint", "a cat", "--count", "17", "--steps", "1", "--model", tiny_folder)
    assert (answer.code, len(answer.paths), answer.err) == (130, 16, "inkwash: interrupted\n")
    assert len(files(tmp_path)) == 16


def test_the_terminal_shows_the_picture_when_asked(inkwash: Inkwash, tiny_folder: Path) -> None:
    answer = inkwash("paint", "a cat", "--model", tiny_folder, "--preview", "blocks")
    assert answer.err.count("▀") == 32 * 16
    assert "▀" not in answer.out
