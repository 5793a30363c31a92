from collections.abc import Callable
from pathlib import Path
from typing import Any

from inkwash.latent.spec import TINY as TINY_SPACE
from inkwash.predictor.spec import TINY
from inkwash.training.text import save_text
from inkwash.weights.bundle import load_bundle
from inkwash.weights.parts import write_part

Inkwash = Callable[..., Any]


def test_three_parts_paint(inkwash: Inkwash, tiny_folder: Path) -> None:
    whole = load_bundle(tiny_folder)
    write_part(Path("p.safetensors"), whole.predictor.state_dict(), TINY, {"target": "flow", "schedule": "flow"})
    write_part(Path("a.safetensors"), whole.autoencoder.state_dict(), TINY_SPACE)
    Path("text").mkdir()
    save_text(Path("text"), whole.text.tokenizer, whole.text.encoder)
    flags = ["--predictor", "p.safetensors", "--autoencoder", "a.safetensors", "--text", "text", "--size", 32]
    told = inkwash("pack", *flags, "--steps", 2, "--out", "models/cats")
    assert (told.code, told.out, told.err) == (0, "models/cats\n", "")
    assert load_bundle("models/cats").name == "cats"
    again = inkwash("pack", *flags, "--out", "models/cats")
    assert (again.code, again.out) == (5, "")
    assert "holds a model already" in again.err
    assert inkwash("paint", "a cat", "--model", "models/cats", "--seed", 1, "--preview", "off").code == 0
