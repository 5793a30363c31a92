"""IP-Adapter: pictures as prompts, through keys and values of their own beside those of the words.  (Ye et al. 2023)

gathered = attention(q, k, v) + scale * attention(q, k_picture, v_picture)    (eq. 5)

Hooks add the second term, so the network is not changed. Parameter names are those of the released files.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from inkwash.errors import InvalidRequest
from inkwash.nn.attention import Attention
from inkwash.predictor.picture_tokens import PROJECTIONS, Features, IPAdapterSpec, PictureTokens
from inkwash.predictor.residuals import ALWAYS, Residuals, acting, as_many
from inkwash.predictor.spec import UNetSpec
from inkwash.predictor.unet import UNet
from inkwash.types import TextStates


class KeyValue(nn.Module):
    """Keys and values that one cross-attention takes from pictures."""

    def __init__(self, text_width: int, width: int) -> None:
        super().__init__()
        self.to_k_ip, self.to_v_ip = (nn.Linear(text_width, width, bias=False) for _ in range(2))

    def forward(
        self, layer: Attention, q: Float[Tensor, "b n inner"], tokens: PictureTokens
    ) -> Float[Tensor, "b n inner"]:
        """What queries of `layer` gather from tokens of pictures."""
        k, v = (layer.split(part) for part in (self.to_k_ip(tokens), self.to_v_ip(tokens)))
        return scaled_dot_product_attention(layer.split(q), k, v).transpose(1, 2).flatten(2)


class IPAdapter(nn.Module):
    """A projection of pictures to tokens, and keys and values for every cross-attention."""

    def __init__(self, spec: IPAdapterSpec) -> None:
        super().__init__()
        self.spec = spec
        self.image_proj = PROJECTIONS[spec.kind](spec)
        # Released files count all attentions; those to words have the odd numbers.
        self.ip_adapter = nn.ModuleDict(
            {str(2 * index + 1): KeyValue(spec.text_width, width) for index, width in enumerate(spec.widths)}
        )

    def tokens(self, features: Features) -> PictureTokens:
        """What a vision tower says of pictures -> tokens, an entry of `TextStates.pictures`."""
        return self.image_proj(features)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Glance:
    """An IP-Adapter at work: which pictures it looks at, how strongly and when."""

    adapter: IPAdapter
    scale: float = 1.0
    place: int = 0
    """Of its tokens in `TextStates.pictures`."""
    interval: tuple[float, float] = ALWAYS
    """Steps t at which it looks."""


@contextmanager
def looking_at_pictures(network: UNet, glance: Glance) -> Iterator[None]:
    """Inside the block `network` looks at pictures too; asked without any, it answers as before.

    Raises InvalidRequest for an adapter of another network.
    """
    layers, spec = cross_attentions(network), glance.adapter.spec
    widths = tuple(layer.to_q.out_features for layer in layers)
    if widths != spec.widths or network.spec.text_width != spec.text_width:
        raise InvalidRequest("IP-Adapter", f"for attentions of {spec.widths}", f"one for attentions of {widths}")
    heard: list[PictureTokens] = []

    def hear(_: nn.Module, args: tuple[Tensor | TextStates | Residuals, ...]) -> None:
        t, text = args[1:3]  # residuals of a ControlNet may follow
        assert isinstance(t, Tensor) and isinstance(text, TextStates)  # noqa: S101, PT018  so a U-Net is asked
        pictures = text.pictures[glance.place : glance.place + 1]
        heard[:] = pictures if acting(t, glance.interval) else ()

    with ExitStack() as hooks:
        hooks.callback(network.register_forward_pre_hook(hear).remove)
        for layer, added in zip(layers, glance.adapter.ip_adapter.children(), strict=True):
            look = _Look(layer, added, heard, glance.scale, [])
            hooks.callback(layer.to_q.register_forward_hook(look.keep).remove)
            hooks.callback(layer.to_out[0].register_forward_pre_hook(look.add).remove)
        yield


@dataclass(frozen=True)
class _Look:
    """One cross-attention between its queries and its way out."""

    layer: Attention
    added: nn.Module
    heard: list[PictureTokens]
    scale: float
    queries: list[Tensor]

    def keep(self, _: nn.Module, __: tuple[Tensor, ...], q: Tensor) -> None:
        self.queries[:] = [q]

    def add(self, _: nn.Module, args: tuple[Tensor]) -> tuple[Tensor]:
        (gathered,), q = args, self.queries.pop()
        for tokens in self.heard:
            gathered = gathered + self.scale * self.added(self.layer, q, as_many(tokens, len(q)))
        return (gathered,)


def cross_attentions(network: UNet) -> list[Attention]:
    """The attentions to words in the order of released files: down, up, bottom."""
    parts = (network.down_blocks, network.up_blocks, network.mid_block)
    named = (pair for part in parts for pair in part.named_modules())
    return [module for name, module in named if name.endswith("attn2") and isinstance(module, Attention)]


def cross_widths(spec: UNetSpec) -> tuple[int, ...]:
    """The widths of those of a U-Net."""
    with torch.device("meta"):
        return tuple(layer.to_q.out_features for layer in cross_attentions(UNet(spec)))
