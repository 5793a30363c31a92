"""Quantised checkpoints that stay quantised: the same bits as unpacked ones, in less memory."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from inkwash.device import Compute
from inkwash.pipeline.engine import Engine
from inkwash.request.generate import GenerateRequest
from inkwash.request.library import Library
from inkwash.weights.choice import ModelChoice
from inkwash.weights.containers.gguf import open_gguf
from inkwash.weights.containers.quants import BLOCKS
from inkwash.weights.containers.writing import write_source
from inkwash.weights.models import open_model
from inkwash.weights.packed import bytes_held, packed_weights
from inkwash.weights.single import together
from tools.checkpoints import Shelf, parts_of
from tools.gguf_writer import Entry, gguf
from tools.helpers import write_lora

ASKED = GenerateRequest(prompt="a photo of a cat", width=32, height=32, steps=2, seed=1)


def q4(tensor: Tensor) -> bytes:
    """Blocks of 32 numbers with one scale: their sizes in sevenths of the largest."""
    rows = tensor.float().reshape(-1, 32).numpy()
    scale = (np.abs(rows).max(1, keepdims=True) / 7).astype(np.float16)
    levels = np.clip(np.round(rows / np.maximum(scale.astype(np.float32), 1e-8)) + 8, 0, 15).astype(np.uint8)
    packed = levels[:, :16] | levels[:, 16:] << 4
    return np.concatenate([scale.view(np.uint8), packed], axis=1).tobytes()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small Stable Diffusion 1 as city96's and sd.cpp's programs quantise: matrices only."""
    place, source = tmp_path_factory.mktemp("packed"), together(parts_of("sd1"), "sd1")
    entries: dict[str, Entry] = {}
    for name in source:
        matrix = len(source.shape(name)) == 2 and source.shape(name)[1] % 32 == 0 and "embedding" not in name
        data = q4(source[name]) if matrix else source[name].numpy().tobytes()
        entries[name] = ("Q4_0" if matrix else "F16", source.shape(name), data)
    (place / "q4.gguf").write_bytes(gguf(entries, {"general.architecture": "sd1"}))
    write_source(place / "unpacked.safetensors", open_gguf(place / "q4.gguf"), {})
    write_lora(place / "loras/ink.safetensors")
    return place


@pytest.fixture(scope="module")
def engines(folder: Path, shelf: Shelf) -> tuple[Engine, Engine]:
    words, cpu = shelf("sd1", "folder") / "tokenizer", Compute(torch.device("cpu"), torch.float32)
    choices = (ModelChoice(folder / name, tokenizer=words) for name in ("q4.gguf", "unpacked.safetensors"))
    packed, unpacked = (Engine(open_model(choice), cpu) for choice in choices)
    return packed, unpacked


def last(engine: Engine, asked: GenerateRequest) -> Tensor:
    *_, step = engine.stream(asked)
    return step.x


def test_the_same_bits_with_and_without_an_adapter(engines: tuple[Engine, Engine], folder: Path) -> None:
    packed, unpacked = engines
    plain = last(packed, ASKED)
    assert torch.equal(plain, last(unpacked, ASKED))
    inked = replace(ASKED, prompt="a cat<lora:ink:1>", library=Library(lora_dir=folder / "loras"), steps=1)
    assert torch.equal(last(packed, inked), last(unpacked, inked))
    assert not any(
        each.changed is not None for net in packed.bundle.networks().values() for _, each in packed_weights(net)
    )
    assert torch.equal(last(packed, ASKED), plain)


def test_matrices_take_the_room_that_they_take_in_the_file(engines: tuple[Engine, Engine]) -> None:
    packed, unpacked = (engine.bundle.predictor for engine in engines)
    block = BLOCKS["Q4_0"]
    saved = sum(layer.weight.numel() for layer in unpacked.modules() if isinstance(layer, nn.Linear))
    held = dict(packed_weights(packed))
    assert sum(each.slot.numel for each in held.values()) == saved > 100_000
    assert bytes_held(unpacked) - bytes_held(packed) == 4 * saved - saved // block.numbers * block.size
    assert bytes_held(unpacked) == sum(4 * weight.numel() for weight in unpacked.parameters())
    assert not any(isinstance(layer.__dict__.get("weight"), Tensor) for layer in packed.modules())


def test_a_layer_that_fails_drops_its_weight(engines: tuple[Engine, Engine]) -> None:
    layer = next(layer for layer in engines[0].bundle.predictor.modules() if isinstance(layer, nn.Linear))
    with pytest.raises(RuntimeError, match="shapes"):
        layer(torch.zeros(2, 3))
    assert "weight" not in layer.__dict__
