"""Perturbed attention: self-attention that sees nothing but its own place.  (Ahn et al. 2024, 4.2)

with perturbed(unet, ("mid",)):
    worse = denoise(x, sigma)
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from torch import Tensor, nn

from inkwash.errors import InvalidRequest
from inkwash.nn.attention import Attention, TransformerBlock
from inkwash.predictor.unet import UNet


@contextmanager
def perturbed(network: UNet, layers: Sequence[str]) -> Iterator[None]:
    """Inside the block the self-attention of `layers` is the identity: every place gathers its own value alone.

    Raises InvalidRequest for a layer that is not there.
    """
    with ExitStack() as hooks:
        for attention in self_attentions(network, layers):
            hooks.callback(attention.register_forward_hook(_itself).remove)
        yield


def self_attentions(network: UNet, layers: Sequence[str]) -> list[Attention]:
    """The self-attentions whose names begin with one of `layers`: "mid", "down_blocks.2", "up_blocks.1.attentions.0".

    Raises InvalidRequest for a beginning that none has.
    """
    blocks = {name: block for name, block in network.named_modules() if isinstance(block, TransformerBlock)}
    places = {name: block.attn1 for name, block in blocks.items() if not block.only_words}
    chosen: dict[str, Attention] = {}
    for layer in layers:
        found = {name: attention for name, attention in places.items() if _begins(f"{name}.attn1", layer)}
        if not found:
            there = dict.fromkeys(".".join(name.split(".")[:2]).removesuffix(".attentions") for name in places)
            raise InvalidRequest("pag.layers", layer, f"one with self-attention: {', '.join(there) or 'there is none'}")
        chosen |= found
    return list(chosen.values())


def _begins(name: str, layer: str) -> bool:
    """Whole words only: blocks.1 is not the beginning of blocks.10."""
    return name.startswith(layer) and name[len(layer) : len(layer) + 1] in ("", ".", "_")


def _itself(attention: nn.Module, args: tuple[Tensor, ...], _: Tensor) -> Tensor:
    """softmax(...) replaced by the identity matrix: the values, projected."""
    assert isinstance(attention, Attention)  # noqa: S101  it was registered there
    return attention.to_out[0](attention.to_v(args[0]))  # type: ignore[no-any-return]
