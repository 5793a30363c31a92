from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from inkwash.weights.files import read

Inkwash = Callable[..., Any]


def test_a_pickle_becomes_safetensors(inkwash: Inkwash) -> None:
    torch.save({"state_dict": {"a": torch.ones(3)}, "x": torch.device("cpu")}, "x.ckpt")
    told = inkwash("convert", "x.ckpt", "x.safetensors", "--dtype", "float16")
    assert (told.code, told.out) == (0, "x.safetensors\n")
    assert told.err == "ignored in the pickle: torch.device\n"
    assert read(Path("x.safetensors")).tensors["a"].dtype == torch.float16
    again = inkwash("convert", "x.ckpt", "x.safetensors")
    assert (again.code, again.out) == (5, "")
    assert inkwash("convert", "x.ckpt", "x.safetensors", "--overwrite").code == 0


def test_a_hostile_pickle_gets_a_line_and_runs_nothing(inkwash: Inkwash) -> None:
    Path("evil.ckpt").write_bytes(b"\x80\x02cposix\nsystem\nX\x0b\x00\x00\x00touch owned\x85R.")
    told = inkwash("convert", "evil.ckpt", "x.safetensors")
    assert (told.code, told.out, told.err.count("\n")) == (3, "", 1)
    assert "posix.system, which weights have no need for" in told.err
    assert [path.name for path in Path().iterdir()] == ["evil.ckpt"]
