"""An adapter out of two networks: what one learned beyond the other, in as few numbers as wanted."""

from collections.abc import Mapping

import torch
from torch import Tensor

from inkwash.errors import InvalidRequest, WeightsError
from inkwash.weights.fit import MOST_LISTED


@torch.no_grad()
def extracted(tuned: Mapping[str, Tensor], base: Mapping[str, Tensor], rank: int, prefix: str) -> dict[str, Tensor]:
    """The tensors of a LoRA file that takes `base` to `tuned`, as near as `rank` allows.

    Matrices and kernels become pairs, the nearest of that rank (Eckart & Young 1936); what changed of vectors goes
    along as it is, what did not change is left out. `prefix` is that of a kohya file, `lora_unet_` or `lora_te_`, or
    ends in a dot, and then modules keep theirs.
    Raises InvalidRequest for a rank below 1, WeightsError if the two are not of one kind.
    """
    if rank < 1:
        raise InvalidRequest("rank", rank, "at least 1")
    shapes = [{name: tuple(tensor.shape) for name, tensor in part.items()} for part in (tuned, base)]
    if wrong := sorted(name for name, _ in set(shapes[0].items()) ^ set(shapes[1].items())):
        raise WeightsError(f"the two are not of one kind: they differ in {', '.join(wrong[:MOST_LISTED])}")
    found: dict[str, Tensor] = {}
    for name, weight in tuned.items():
        module, _, leaf = name.rpartition(".")
        change = weight.float() - base[name].float()
        if leaf in ("weight", "bias") and bool(change.any()):
            inner = module if prefix.endswith(".") else module.replace(".", "_")
            found |= _parts(prefix + inner, leaf, change, rank)
    return found


def _parts(stem: str, leaf: str, change: Tensor, rank: int) -> dict[str, Tensor]:
    if leaf == "bias":
        return {f"{stem}.diff_b": change}
    if change.ndim < 2:
        return {f"{stem}.diff": change}
    return pair(stem, torch.linalg.svd(change.flatten(1), full_matrices=False), rank, tuple(change.shape[1:]))


def pair(stem: str, parts: tuple[Tensor, Tensor, Tensor], rank: int, inner: tuple[int, ...]) -> dict[str, Tensor]:
    """u, s and v of a matrix as the two of a LoRA file, of that rank at most; `inner` is the shape behind the rows."""
    u, s, v = parts
    rank = min(rank, len(s))
    root = s[:rank].sqrt()
    ones = [1] * (len(inner) - 1)
    return {
        f"{stem}.lora_up.weight": (u[:, :rank] * root).reshape(len(u), rank, *ones).contiguous(),
        f"{stem}.lora_down.weight": (root[:, None] * v[:rank]).reshape(rank, *inner).contiguous(),
        f"{stem}.alpha": torch.tensor(float(rank)),
    }
