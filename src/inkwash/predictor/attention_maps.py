"""Which words a place of the picture looked at: cross-attention, captured beside the network.  (DAAM: Tang et al. 2022)

Hooks compute the probabilities a second time from the same queries and keys, so the network's results do not change.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate

from inkwash.errors import InvalidRequest
from inkwash.nn.attention import Attention, SpatialTransformer

Looks = Float[Tensor, "b tokens h w"]
"""How much each place looks at each token, averaged over heads; the tokens of a place sum to 1."""


@dataclass
class AttentionMaps:
    """What was captured since the start, or since the last `clear`."""

    calls: dict[str, list[Looks]] = field(default_factory=dict)
    """For every cross-attention by its name in the network, a map per call."""

    def clear(self) -> None:
        """Forget, for instance at the start of every step."""
        self.calls.clear()

    def by_token(self, size: tuple[int, int]) -> Looks:
        """(b, tokens, *size): the mean over layers and calls.

        Raises InvalidRequest if nothing was captured.
        """
        if not self.calls:
            raise InvalidRequest("attention maps", "empty", "captured from a network that looks at words, before use")
        return torch.stack([_mean(maps, size) for maps in self.calls.values()]).mean(dim=0)

    def of_words(
        self, words: Sequence[tuple[str, Sequence[int]]], size: tuple[int, int]
    ) -> list[tuple[str, Float[Tensor, "b h w"]]]:
        """A heat map for each word; `words` tells the positions of a word's tokens, as `Tokenizer.words` does."""
        looks = self.by_token(size)
        return [(word, looks[:, list(places)].sum(dim=1)) for word, places in words]


@contextmanager
def attention_maps(network: nn.Module) -> Iterator[AttentionMaps]:
    """Capture every cross-attention of `network` inside the block, without changing what it computes.

    Maps are (b, tokens, h, w) in float32 on the network's device; a guided step asked at once holds both prompts in b.
    """
    maps = AttentionMaps()
    with ExitStack() as hooks:
        for name, module in network.named_modules():
            if isinstance(module, SpatialTransformer):
                for watch in _watches(name, module, maps):
                    hooks.callback(watch.remove)
        yield maps


def _watches(
    name: str, transformer: SpatialTransformer, maps: AttentionMaps
) -> Iterator[torch.utils.hooks.RemovableHandle]:
    shape: list[int] = []

    def remember(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        shape[:] = inputs[0].shape[2:]

    yield transformer.register_forward_pre_hook(remember)
    for index, block in enumerate(transformer.transformer_blocks):
        attn2 = block.get_submodule("attn2")
        key = f"{name}.transformer_blocks.{index}.attn2"

        def look(layer: nn.Module, inputs: tuple[Tensor, ...], _: Tensor, key: str = key) -> None:
            assert isinstance(layer, Attention)  # noqa: S101  for the type checker
            looks = probabilities(layer, *inputs).mean(dim=1)
            maps.calls.setdefault(key, []).append(looks.transpose(1, 2).unflatten(2, tuple(shape)))

        yield attn2.register_forward_hook(look)


@torch.no_grad()
def probabilities(
    layer: Attention, x: Float[Tensor, "b n width"], context: Float[Tensor, "b m other"], keep: Tensor | None = None
) -> Float[Tensor, "b heads n m"]:
    """softmax(q kᵀ / sqrt(head)), in float32.  (Vaswani et al. 2017, eq. 1)"""
    q, k = layer.split(layer.to_q(x)).float(), layer.split(layer.to_k(context)).float()
    scores = q @ k.transpose(2, 3) * q.shape[-1] ** -0.5
    if keep is not None:
        scores = scores.masked_fill(~keep[:, None, None, :], float("-inf"))
    return scores.softmax(dim=-1)  # type: ignore[no-any-return]


def _mean(maps: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
    return interpolate(torch.stack(list(maps)).mean(dim=0), size, mode="bilinear", align_corners=False)
