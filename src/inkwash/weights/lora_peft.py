"""Pairs of matrices under PEFT's names, which diffusers reads, and back under those that our tools compute with.

lora_A is lora_down, lora_B is lora_up. There is no alpha: diffusers takes the rank of one module for the scale of all,
so all modules of a file have one rank here, small ones with zeros behind, and the scale is in the matrices.
"""

from collections.abc import Mapping

from torch import Tensor
from torch.nn.functional import pad

UP, DOWN, ALPHA = ".lora_up.weight", ".lora_down.weight", ".alpha"
A, B, B_BIAS = ".lora_A.weight", ".lora_B.weight", ".lora_B.bias"
BIAS = ".diff_b"


def as_peft(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Pairs whose alpha is their rank, as PEFT writes them.

    A change of a bias goes along with its pair; PEFT has no words for that of a bias alone or of a norm, which keep
    theirs.
    """
    ranks = {name.removesuffix(DOWN): len(tensor) for name, tensor in tensors.items() if name.endswith(DOWN)}
    most = max(ranks.values(), default=0)
    found: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if name.endswith(DOWN):
            found[name.removesuffix(DOWN) + A] = _padded(tensor, 0, most)
        elif name.endswith(UP):
            found[name.removesuffix(UP) + B] = _padded(tensor, 1, most)
        elif name.endswith(BIAS) and name.removesuffix(BIAS) in ranks:
            found[name.removesuffix(BIAS) + B_BIAS] = tensor
        elif not (name.endswith(ALPHA) and name.removesuffix(ALPHA) in ranks):
            found[name] = tensor
    return found


def from_peft(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The inverse, as far as names go: ranks are what they are, and zeros stay."""
    ends = {A: DOWN, B: UP, B_BIAS: BIAS}
    return {
        next((name.removesuffix(old) + new for old, new in ends.items() if name.endswith(old)), name): tensor
        for name, tensor in tensors.items()
    }


def in_peft(tensors: Mapping[str, Tensor]) -> bool:
    """Whether a file has PEFT's names."""
    return any(name.endswith(A) for name in tensors)


def _padded(tensor: Tensor, axis: int, length: int) -> Tensor:
    """Zeros behind, up to `length`."""
    missing = length - tensor.shape[axis]
    return pad(tensor, [0, 0] * (tensor.ndim - 1 - axis) + [0, missing]) if missing else tensor
