"""Checkpoints that are whole or not there: staged in a folder of their own, manifest last, renamed in one go.

Plain safetensors and JSON, never pickles. What is random follows from the clock, so the clock is all there is to save.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.optim import Optimizer

from inkwash.errors import WeightsError
from inkwash.files import sync, told
from inkwash.training.state import TrainState

MANIFEST = "manifest.json"
FORMAT = 1
Warn = Callable[[str], None]


def save(folder: Path, state: TrainState, keep: int = 2) -> Path:
    """Write `folder`/<images seen>; only then remove all but the newest `keep`.

    Raises OutputError if the disk refuses; what was there before stays whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"{state.images_seen:012d}"
    if place.exists():
        return place
    stage = folder / f".stage-{os.getpid()}"
    with told(place):
        for left in folder.glob(".stage-*"):  # by a process that was killed
            shutil.rmtree(left, ignore_errors=True)
        stage.mkdir()
        try:
            _write(stage, state)
            stage.rename(place)
            sync(folder)
        finally:
            shutil.rmtree(stage, ignore_errors=True)
    for old in _newest_first(folder)[keep:]:
        shutil.rmtree(old, ignore_errors=True)
    return place


def newest(folder: Path, warn: Warn = lambda line: None) -> Path | None:
    """The newest checkpoint that is whole; broken ones are told to `warn` and passed over."""
    for place in _newest_first(folder):
        try:
            verify(place)
        except WeightsError as error:
            warn(f"passing over a broken checkpoint: {error}")
        else:
            return place
    return None


def manifest(place: Path) -> dict[str, Any]:
    """What a checkpoint says of itself.  Raises WeightsError."""
    try:
        told = json.loads((place / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsError(f"{place} has no readable {MANIFEST}: {error}") from None
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise WeightsError(f"{place} was written by another version of the trainer")
    return told


def verify(place: Path) -> None:
    """Raises WeightsError unless every file is there with the bytes that were written."""
    for name, wanted in manifest(place)["files"].items():
        path = place / name
        if not path.is_file() or _hash(path) != wanted:
            raise WeightsError(f"{path} is missing or damaged")


def load(place: Path, state: TrainState) -> None:
    """Bring `state`, fresh from the same config, to the moment of the checkpoint.  Raises WeightsError."""
    try:
        state.model.load_state_dict(load_file(place / "model.safetensors"))
        memory = load_file(place / "optimizer.safetensors")
        for number, optimizer in enumerate(state.optimizers):
            _remember(optimizer, memory, f"{number}.")
        averages = load_file(place / "averages.safetensors")
        for number, average in enumerate(state.averages):
            for name, weight in average.weights.items():
                weight.copy_(averages[f"{number}.{name}"])
    except (OSError, KeyError, RuntimeError, SafetensorError) as error:
        raise WeightsError(f"{place} does not fit this run: {error}") from None
    state.images_seen = manifest(place)["images_seen"]


def _write(stage: Path, state: TrainState) -> None:
    parts = {
        "model.safetensors": dict(state.model.state_dict()),
        "optimizer.safetensors": dict(_memory(state.optimizers)),
        "averages.safetensors": {
            f"{number}.{name}": weight
            for number, average in enumerate(state.averages)
            for name, weight in average.weights.items()
        },
    }
    for name, tensors in parts.items():
        save_file({key: tensor.detach().contiguous() for key, tensor in tensors.items()}, stage / name)
        sync(stage / name)
    told = {
        "format": FORMAT,
        "images_seen": state.images_seen,
        "precision": str(state.precision).removeprefix("torch."),
        "config": state.config.as_json(),
        "files": {name: _hash(stage / name) for name in parts},
    }
    (stage / MANIFEST).write_text(json.dumps(told, indent=1), "utf-8")
    sync(stage / MANIFEST)
    sync(stage)


def _memory(optimizers: tuple[Optimizer, ...]) -> Iterator[tuple[str, Tensor]]:
    for number, optimizer in enumerate(optimizers):
        for index, slots in optimizer.state_dict()["state"].items():
            for slot, value in slots.items():
                yield f"{number}.{index}.{slot}", value


def _remember(optimizer: Optimizer, memory: Mapping[str, Tensor], prefix: str) -> None:
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in memory.items():
        if name.startswith(prefix):
            index, slot = name.removeprefix(prefix).split(".")
            like = weights[int(index)]
            # memory must lie as its weight does (channels-last): fused optimizers walk both in step
            state.setdefault(int(index), {})[slot] = (
                torch.empty_like(like).copy_(value) if value.shape == like.shape else value.clone()
            )
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _newest_first(folder: Path) -> list[Path]:
    return sorted((place for place in folder.glob("[0-9]*") if place.is_dir()), reverse=True)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
