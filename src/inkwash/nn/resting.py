"""Weights that rest in the type of their file and are widened by the layer that uses them, one layer at a time.

A network of half floats so takes half the memory and computes in float32 all the same: what a layer sees is, bit for
bit, what it would see had all weights been widened at once.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, embedding, group_norm, layer_norm, linear, rms_norm

ALIGNED = 64
"""Bytes: sums over memory that begins elsewhere may be ordered in another way."""


class Resting(nn.Parameter):
    """A weight of any type and place, a mapped file for example; layers see it in float32, whatever it rests in.

    Under autocast, products see the type that they run in. Nothing writes into it: `data` is exchanged as a whole.
    """

    @classmethod
    def __torch_function__(
        cls,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Layers are given wide weights; everything else happens to the weight as it rests."""
        given = dict(kwargs or {})
        if func is embedding:  # rows are chosen first: a table is large
            rows = super().__torch_function__(func, types, args, given)  # type: ignore[no-untyped-call]
            return rows.float()
        if wake := WAKES.get(func):
            args = tuple(wake(each) if isinstance(each, cls) else each for each in args)
            given = {name: wake(each) if isinstance(each, cls) else each for name, each in given.items()}
        return super().__torch_function__(func, types, args, given)  # type: ignore[no-untyped-call]


def whole(weight: Tensor) -> Tensor:
    """In float32, at an aligned place; a copy only where there must be one."""
    return aligned(weight.float())


def multiplied(weight: Tensor) -> Tensor:
    """In the type that products run in here; kernels of convolutions with their channels last."""
    kind = weight.device.type
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else torch.float32
    if weight.ndim == 4:
        weight = weight.to(memory_format=torch.channels_last)
    return aligned(weight.to(dtype))


def aligned(tensor: Tensor) -> Tensor:
    """The tensor itself, or a copy of one that begins askew."""
    return tensor if tensor.data_ptr() % ALIGNED == 0 else tensor.clone()


WAKES: Mapping[Callable[..., Any], Callable[[Tensor], Tensor]] = {
    linear: multiplied,
    conv2d: multiplied,
    group_norm: whole,
    layer_norm: whole,
    rms_norm: whole,
}
"""What layers do with weights; all else, such as a sum, widens by itself."""


def rests(network: nn.Module) -> bool:
    """Has it weights that rest?"""
    return any(isinstance(weight, Resting) for weight in network.parameters())
