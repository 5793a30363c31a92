"""Weights kept as they lie in the file: no second copy, and the same pictures to the last bit."""

import logging
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import inkwash
from inkwash.nn.resting import Resting, rests
from inkwash.request.generate import GenerateRequest
from inkwash.weights.choice import Keeping, ModelChoice
from inkwash.weights.containers.source import in_memory
from inkwash.weights.containers.writing import write_source
from inkwash.weights.models import open_model
from inkwash.weights.released import load_released
from inkwash.weights.single import Base, together
from tools.checkpoints import Form, Shelf, parts_of, write_tokenizers

ASKED = GenerateRequest(prompt="a photo of a cat", width=16, height=16, steps=1, seed=1)


def painted(choice: ModelChoice, keeping: Keeping, dtype: str = "float32") -> bytes:
    return inkwash.load(choice, device="cpu", dtype=dtype, keeping=keeping).paint(ASKED)[0].tobytes()


@pytest.mark.parametrize(
    ("base", "form", "dtype"),
    [
        ("sd1", "single", "float32"),
        ("sd1", "gguf", "bfloat16"),
        ("sdxl", "single", "float32"),
        ("sd3", "folder", "float32"),
    ],
)
def test_the_same_picture(shelf: Shelf, base: Base, form: Form, dtype: str) -> None:
    choice = ModelChoice(shelf(base, form))
    assert painted(choice, "file", dtype) == painted(choice, "float32", dtype)


def test_the_same_picture_with_an_adapter(shelf: Shelf, tmp_path: Path) -> None:
    torch.manual_seed(0)
    name, width = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q", 64
    change = {f"{name}.lora_down.weight": torch.randn(4, width), f"{name}.lora_up.weight": torch.randn(width, 4)}
    write_source(tmp_path / "a.safetensors", in_memory(change), {})
    choice = ModelChoice(shelf("sd1", "single"), lora=(f"{tmp_path / 'a.safetensors'}:0.7",))
    assert painted(choice, "file") == painted(choice, "float32") != painted(replace(choice, lora=()), "file")
    bundle = open_model(choice, "file")
    changed = bundle.predictor.down_blocks[0].attentions[0].transformer_blocks[0].attn1.to_q.weight  # type: ignore[union-attr, index]
    before = changed.data.clone()
    bundle.rest()
    assert torch.equal(changed.data, before)  # the change did not lie in the file's memory


def test_weights_lie_in_the_file_and_nowhere_else(shelf: Shelf) -> None:
    bundle = load_released(ModelChoice(shelf("sd1", "single")), "file")
    (data,) = bundle.maps
    begin = torch.frombuffer(data, dtype=torch.uint8).data_ptr()
    weights = [weight for network in bundle.networks().values() for weight in network.parameters()]
    assert all(isinstance(weight, Resting) and weight.dtype == torch.float16 for weight in weights)
    assert all(begin <= weight.data_ptr() < begin + len(data) for weight in weights)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what memory of a process is its own")
def test_opening_takes_next_to_no_memory(tmp_path: Path) -> None:
    parts = parts_of("sd1")
    table = torch.zeros(52_000, 768, dtype=torch.float16)  # 80 MB
    words = parts["text_encoder"]
    names = {name: words[name] for name in words} | {"text_model.embeddings.token_embedding.weight": table}
    large = tmp_path / "large.safetensors"
    write_source(large, together({**parts, "text_encoder": in_memory(names)}, "sd1"), {})
    write_tokenizers(tmp_path / "large.safetensors.tokenizer", "sd1")
    del table, names
    assert large.stat().st_size > 80e6
    before = own_memory()
    bundle = load_released(ModelChoice(large), "file")
    assert own_memory() - before < 20e6
    assert rests(bundle.text.encoders[0])


def own_memory() -> int:
    """Bytes of this process that no file could give back."""
    rows = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(rows["RssAnon"].split()[0]) * 1024


def test_little_room_keeps_them_so_by_itself(shelf: Shelf, caplog: pytest.LogCaptureFixture) -> None:
    choice = ModelChoice(shelf("sd1", "single"))
    with caplog.at_level(logging.WARNING):
        assert not rests(load_released(choice, "auto", room=10 * 10**9).predictor)
        assert not caplog.records
        assert rests(load_released(choice, "auto", room=10**9).predictor)
    (said,) = caplog.records
    assert said.getMessage() == (
        "weights stay as they are in the file: in float32 they would take 0.1 GB, and 1.0 are free"
    )


def test_a_model_of_ours_is_small_anyway(tiny_folder: Path) -> None:
    assert not rests(open_model(ModelChoice(tiny_folder), "file").predictor)
