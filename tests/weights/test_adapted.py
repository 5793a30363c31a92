"""Adapters on the command line's terms: a file, and how strongly it acts."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from inkwash.errors import InvalidRequest, WeightsError
from inkwash.weights.adapted import parted
from inkwash.weights.choice import ModelChoice
from inkwash.weights.containers.source import in_memory
from inkwash.weights.containers.writing import write_source
from inkwash.weights.models import open_model

NAME = "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k"


def test_files_and_strengths(tmp_path: Path) -> None:
    assert parted("a/b.safetensors") == (Path("a/b.safetensors"), 1.0)
    assert parted("a/b.safetensors:0.5") == (Path("a/b.safetensors"), 0.5)
    (tmp_path / "odd:1").write_bytes(b"")
    assert parted(str(tmp_path / "odd:1")) == (tmp_path / "odd:1", 1.0)
    for said in ("x:much", "x:nan", "x:"):
        with pytest.raises(InvalidRequest, match=r"lora is .*FILE:STRENGTH with a number"):
            parted(said)


def test_adapters_are_added_one_after_the_other(tiny_folder: Path, tmp_path: Path) -> None:
    plain = open_model(ModelChoice(tiny_folder))
    old = plain.predictor.get_parameter(f"{NAME}.weight")
    up, down = torch.randn(len(old), 2), torch.randn(2, old.shape[1])
    file = tmp_path / "cats.safetensors"
    stem = "lora_unet_" + NAME.replace(".", "_")
    write_source(file, in_memory({f"{stem}.lora_up.weight": up, f"{stem}.lora_down.weight": down}), {})
    choice = ModelChoice(tiny_folder, lora=(f"{file}:0.5", str(file)))
    bundle = open_model(choice)
    found = bundle.predictor.get_parameter(f"{NAME}.weight")
    torch.testing.assert_close(found, old + 1.5 * up @ down)
    assert set(bundle.files) - set(plain.files) == {"lora/cats.safetensors"}
    with pytest.raises(WeightsError, match="dogs"):
        open_model(replace(choice, lora=(str(tmp_path / "dogs.safetensors"),)))
