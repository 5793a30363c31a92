"""Pickled checkpoints, for `inkwash convert` alone: a jailed process says where the numbers lie, we read them there."""

import json
import subprocess
import sys
from mmap import mmap
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor

from inkwash.errors import WeightsError, shown
from inkwash.weights.containers.source import Slot, Source, mapped
from inkwash.weights.files import DTYPES
from inkwash.weights.header import BYTES

PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from inkwash.weights.containers.jail import main; main()"
ROOT = Path(__file__).parents[3]
PATIENCE = 120.0
"""Seconds that the jailed process may take."""
IGNORED = "inkwash.ignored"
"""The note that lists classes whose objects were left out."""


def open_ckpt(path: Path, patience: float = PATIENCE) -> Source:
    """A torch file, old or new; nothing in it is run.  Raises WeightsError in one line."""
    try:
        told = json.loads(_asked(path, patience))
        rows = {str(name): _row(row) for name, row in told["tensors"].items()} if "error" not in told else {}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise WeightsError(f"{path} cannot be read: its pickle is broken") from None
    if "error" in told:
        raise WeightsError(f"{path}: {told['error']}")
    data = mapped(path)
    for name, (slot, stride, begin, offset) in rows.items():
        if _reach(slot.shape, stride, offset) * BYTES[slot.dtype] + begin > len(data):
            raise WeightsError(f"{path}: tensor {shown(name)} lies outside the file")
    slots = {name: row[0] for name, row in rows.items()}
    notes = {IGNORED: ", ".join(map(str, told["ignored"]))} if told.get("ignored") else {}
    return Source(str(path), slots, lambda name: _tensor(data, *rows[name]), notes, "pickle", (path,))


Row = tuple[Slot, tuple[int, ...], int, int]


def _asked(path: Path, patience: float) -> bytes:
    """What the jailed process says; it gets the open file, an empty environment and an empty folder."""
    command = [sys.executable, "-I", "-S", "-B", "-c", PROGRAM, str(ROOT)]
    try:
        with path.open("rb") as file, TemporaryDirectory() as empty:
            done = subprocess.run(
                command, stdin=file, capture_output=True, cwd=empty, env={}, timeout=patience, check=False
            )
    except subprocess.TimeoutExpired:
        raise WeightsError(f"{path} takes too long to read: something is wrong with its pickle") from None
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror}") from None
    return done.stdout


def _row(row: Any) -> Row:
    """A tensor as the jail tells of it, believed no more than a file.  Raises ValueError."""
    dtype, shape, stride, begin, offset = row
    numbers = (*shape, *stride, begin, offset)
    if dtype not in BYTES or len(shape) != len(stride) or not all(type(n) is int and 0 <= n < 2**48 for n in numbers):
        raise ValueError(row)
    return Slot(dtype, tuple(shape)), tuple(stride), begin, offset


def _reach(shape: tuple[int, ...], stride: tuple[int, ...], offset: int) -> int:
    """How many numbers of the storage a tensor needs."""
    return 0 if 0 in shape else offset + sum((n - 1) * step for n, step in zip(shape, stride, strict=True)) + 1


def _tensor(data: mmap, slot: Slot, stride: tuple[int, ...], begin: int, offset: int) -> Tensor:
    dtype, size = DTYPES[slot.dtype], BYTES[slot.dtype]
    reach = _reach(slot.shape, stride, offset)
    if not reach:
        return torch.empty(slot.shape, dtype=dtype)
    if begin % size:
        whole = torch.frombuffer(bytearray(data[begin : begin + reach * size]), dtype=dtype)
    else:
        whole = torch.frombuffer(data, dtype=dtype, count=reach, offset=begin)
    return whole.as_strided(slot.shape, stride, offset)
