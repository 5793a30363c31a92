"""Weights that stay quantised: as they lie in a GGUF file, unpacked for each layer while it works.

The numbers are those of a network that is unpacked as a whole, bit for bit; only linear layers, where nearly all of a
quantised file lies, are kept so.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from torch import Tensor, nn

from inkwash.weights.containers.quants import BLOCKS
from inkwash.weights.containers.source import Slot, Source


@dataclass
class Packed:
    """The weight of one layer."""

    fetch: Callable[[], Tensor]
    """Reads and unpacks it, in float32."""
    slot: Slot
    changed: Tensor | None = None
    """What adapters have made of it, held unpacked as long as they act."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the unpacked weight."""
        return self.slot.shape

    @property
    def size(self) -> int:
        """Bytes in the file."""
        block = BLOCKS[self.slot.dtype]
        return self.slot.numel // block.numbers * block.size

    def unpack(self, layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        """Before the layer works."""
        weight = self.fetch() if self.changed is None else self.changed
        layer.weight = weight.to(inputs[0].device)

    def drop(self, layer: nn.Module, _: tuple[Tensor, ...], __: Tensor | None) -> None:
        """After it has worked, or failed."""
        if "weight" in layer.__dict__:
            del layer.weight


def keep_packed(network: nn.Module, source: Source, full: Callable[[Tensor], Tensor]) -> set[str]:
    """Let linear layers whose weights `source` holds quantised read them there; returns the names of those weights.

    `full` makes of what was read what the layer computes with.
    """
    layers = {f"{name}.weight": layer for name, layer in network.named_modules() if isinstance(layer, nn.Linear)}
    names = {name for name, slot in source.slots.items() if slot.dtype in BLOCKS and name in layers}
    for name in names:
        layer, slot = layers[name], source.slots[name]
        packed = Packed(lambda name=name: full(source[name]), slot)  # type: ignore[misc]
        del layer.weight
        layer.packed = packed  # type: ignore[assignment]  # which is neither
        layer.register_forward_pre_hook(packed.unpack)
        layer.register_forward_hook(packed.drop, always_call=True)
    return names


def packed_weights(network: nn.Module) -> Iterator[tuple[str, Packed]]:
    """The weights of a network that are kept packed, by the names that they would have as parameters."""
    for name, layer in network.named_modules():
        if isinstance(packed := getattr(layer, "packed", None), Packed):
            yield f"{name}.weight", packed


def bytes_held(network: nn.Module) -> int:
    """Bytes of all weights as they are kept: quantised ones count as they lie in the file."""
    tensors = [*network.parameters(), *network.buffers()]
    packed = [each for _, each in packed_weights(network)]
    changed = [each.changed for each in packed if each.changed is not None]
    return sum(each.numel() * each.element_size() for each in [*tensors, *changed]) + sum(each.size for each in packed)
