import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from inkwash.weights.files import sha256, write

Inkwash = Callable[..., Any]
LORA = {"lora_unet_x_attn2_to_k.lora_down.weight": torch.ones(4, 768), "lora_unet_x_attn2_to_k.alpha": torch.tensor(2)}


def test_a_file_of_weights(inkwash: Inkwash) -> None:
    write(Path("cat.safetensors"), LORA, {"ss_network_dim": "4", "ss_evil": "a\x1b[2Jb\nc"})
    told = inkwash("info", "cat.safetensors")
    assert (told.code, told.err) == (0, "")
    rows = dict(line.split(maxsplit=1) for line in told.out.splitlines())
    whole = sha256(Path("cat.safetensors").read_bytes())
    assert (rows["kind"], rows["rank"], rows["sha256"], rows["short"]) == ("lora", "4", whole, whole[:10])
    assert rows["family"] == "Stable Diffusion 1"
    assert rows["types"] == "I64 1, F32 1"
    assert rows["needs"] == "a model to work on"
    assert rows["ss_network_dim"] == "4"
    assert rows["ss_evil"] == "a [2Jb c"


def test_as_json(inkwash: Inkwash) -> None:
    write(Path("cat.safetensors"), LORA, {})
    told = json.loads(inkwash("info", "cat.safetensors", "--json").out)
    assert told["kind"] == "lora"


def test_a_picture(inkwash: Inkwash) -> None:
    notes = PngInfo()
    notes.add_text("parameters", "a cat\nSteps: 20")
    Image.new("RGB", (8, 6)).save("cat.png", pnginfo=notes)
    told = inkwash("info", "cat.png")
    assert told.code == 0
    assert "8x6" in told.out
    assert "a cat Steps: 20" in told.out
    Image.new("RGB", (8, 6)).save("mute.png")
    assert "it does not say" in inkwash("info", "mute.png").out


def test_what_cannot_be_read_gets_a_line(inkwash: Inkwash) -> None:
    torch.save({}, "x.ckpt")
    for name, code in (("x.ckpt", 3), ("nowhere", 3), ("nowhere.png", 2)):
        told = inkwash("info", name)
        assert (told.code, told.out, told.err.count("\n")) == (code, "", 1)


def test_a_model_of_our_own(inkwash: Inkwash, tiny_folder: Path) -> None:
    told = inkwash("info", tiny_folder)
    assert (told.code, told.err) == (0, "")
    assert "inkwash model" in told.out
    assert "32x32" in told.out
    network = inkwash("info", tiny_folder / "predictor.safetensors")
    assert (network.code, "task" in network.out, "needs" in network.out) == (0, False, False)
