from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from inkwash.weights.files import read, write

Inkwash = Callable[..., Any]
NAME = "model.diffusion_model.input_blocks.4.0.x"


def test_weighted_and_with_a_base(inkwash: Inkwash) -> None:
    for name, value in (("a", 1.0), ("b", 5.0), ("c", 3.0)):
        write(Path(f"{name}.safetensors"), {NAME: torch.full((2,), value)}, {"modelspec.title": name, "other": "x"})
    told = inkwash("merge", "a.safetensors", "b.safetensors", "ab.safetensors", "--weight", 0.25)
    assert (told.code, told.out, told.err) == (0, "ab.safetensors\n", "")
    found = read(Path("ab.safetensors"))
    assert found.tensors[NAME].tolist() == [2, 2]
    assert found.metadata == {"modelspec.title": "a"}
    flags = ["--base", "c.safetensors", "--blocks", "IN04=0.5", "--weight", 0, "--dtype", "float16"]
    assert inkwash("merge", "a.safetensors", "b.safetensors", "d.safetensors", *flags).code == 0
    assert read(Path("d.safetensors")).tensors[NAME].tolist() == [2, 2]
    assert inkwash("merge", "a.safetensors", "b.safetensors", "d.safetensors").code == 5
    assert inkwash("merge", "a.safetensors", "b.safetensors", "folder").code == 2
