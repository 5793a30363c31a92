"""Weights and inputs by rule: two implementations that name a tensor alike fill it alike, without a file.

The rule is the one that a folder's README gives: a tensor is drawn by a generator seeded with the crc32 of its name.
"""

import json
import zlib
from collections.abc import Callable, Mapping
from math import inf, sqrt
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import safe_open
from torch import Tensor, nn

from tools.golden import Verdict

BAR = 1e-5
"""Of a single forward: largest difference, relative to the largest number of the golden."""
KEPT = ("position_ids", "pos_embed.pos_embed")
"""Ends of the names of tensors that stay as constructed."""
Golden = Mapping[str, Any]
Rename = Callable[[str], str]
Network = TypeVar("Network", bound=nn.Module)


def drawn(seed: str, shape: tuple[int, ...]) -> Tensor:
    """Gaussian numbers that depend on a text alone."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(zlib.crc32(seed.encode())))


def given(name: str, shape: tuple[int, ...]) -> Tensor:
    """An input by its name, such as `unet.sd1.x`."""
    return drawn(f"in:{name}", shape)


def filling(key: str, shape: tuple[int, ...]) -> Tensor:
    """What the tensor called `key` holds."""
    numbers = drawn(key, shape)
    if len(shape) >= 2:
        table = any(word in key for word in ("embedding.weight", "embed_tokens", "shared"))
        return numbers * 0.5 if table else numbers / sqrt(numbers[0].numel())
    owner, _, leaf = key.rpartition(".")
    norm = leaf == "weight" and any(word in owner.rpartition(".")[2].lower() for word in ("norm", "ln_"))
    return 1 + 0.1 * numbers if norm else 0.1 * numbers


def bare(build: Callable[[], Network]) -> Network:
    """A network whose weights are not even drawn, because they are filled next."""
    with torch.device("meta"):
        network = build()
    return network.to_empty(device="cpu")


@torch.no_grad()
def filled(network: Network, rename: Rename = str) -> Network:
    """Fill a network in place, ready to be asked; `rename` tells the golden's name of one of its tensors."""
    for name, tensor in network.state_dict().items():
        key = rename(name)
        if tensor.is_floating_point() and not key.endswith(KEPT):
            tensor.copy_(filling(key, tuple(tensor.shape)))
    return network.eval().requires_grad_(False)


def keys_crc(network: nn.Module, rename: Rename = str) -> int:
    """crc32 of the sorted lines `name [shape]` of a state dict."""
    lines = sorted((rename(name), list(tensor.shape)) for name, tensor in network.state_dict().items())
    return zlib.crc32("\n".join(f"{name} {shape}" for name, shape in lines).encode())


def goldens(folder: Path) -> Mapping[str, Golden]:
    """models.json of a folder: numbers about every case; empty if it is not there."""
    path = folder / "models.json"
    return json.loads(path.read_text()) if path.is_file() else {}


def whole(folder: Path, name: str) -> Tensor | None:
    """All numbers of a case, where models.safetensors keeps them."""
    path = folder / "models.safetensors"
    if not path.is_file():
        return None
    with safe_open(path, "pt") as kept:
        return kept.get_tensor(name) if name in kept.keys() else None  # noqa: SIM118  not a mapping


def judged(golden: Golden, full: Tensor | None, found: Tensor, network: nn.Module, rename: Rename = str) -> Verdict:
    """Counts and names exactly, numbers by `BAR`: all of them if `full` is there, else both ends and the sums."""
    state = network.state_dict()
    facts = {
        "shape": list(found.shape),
        "params": sum(weight.numel() for weight in network.parameters()),
        "tensors": len(state),
        "keys_crc": keys_crc(network, rename),
    }
    wrong = [f"{name} {value}, wanted {golden[name]}" for name, value in facts.items() if golden[name] != value]
    if wrong:
        return Verdict(inf, BAR, "; ".join(wrong))
    flat = found.double().flatten()
    ends = torch.tensor(golden["head"] + golden["tail"], dtype=torch.float64)
    apart = (torch.cat([flat[:6], flat[-6:]]) - ends).abs().max() / flat.abs().max()
    sums = [abs(flat.abs().sum() / golden["sum_abs"] - 1), abs(flat.std() / golden["std"] - 1)]
    sums.append(abs(flat.mean() - golden["mean"]) / flat.abs().max())
    if full is not None:
        wanted = full.double().flatten()
        apart = torch.maximum(apart, (flat - wanted).abs().max() / wanted.abs().max())
    return Verdict(max(apart, *sums).item() if flat.isfinite().all() else inf, BAR)
