"""Pixel space against latent space: the same predictor in both, counted and measured."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from math import prod

import torch

from inkwash.errors import InvalidRequest
from inkwash.latent.autoencoder import Autoencoder
from inkwash.latent.spec import AutoencoderSpec
from inkwash.predictor.spec import UNetSpec
from inkwash.predictor.unet import UNet
from inkwash.show.cost import Cost, apart, measured, operations
from inkwash.types import TextStates

TOKENS = 32
CALLS = 50
"""Network calls of a picture: 25 steps, each with and without the words."""


@dataclass(frozen=True)
class Room:
    """What one picture takes in a space."""

    shape: tuple[int, int, int]
    """Channels, height, width."""
    step: Cost
    """One call of the predictor for one picture."""
    decode: Cost | None
    """Once per picture; None where there is nothing to decode."""

    @property
    def numbers(self) -> int:
        """Numbers per picture."""
        return prod(self.shape)

    @property
    def picture_seconds(self) -> float:
        """Of a whole picture: 50 calls and the decoder."""
        return CALLS * self.step.seconds + (self.decode.seconds if self.decode else 0.0)


@dataclass(frozen=True)
class Comparison:
    """Both spaces for pictures of one size."""

    size: int
    """Side of the picture in pixels."""
    threads: int
    pixels: Room
    latents: Room


def compare(
    size: int, predictor: UNetSpec, space: AutoencoderSpec, tell: Callable[[str], None] = lambda _: None
) -> Comparison:
    """Count and measure, one space after the other, each network in a process of its own.

    Weights are random: they do not change the cost. `tell` hears what is being measured.
    Raises InvalidRequest if `size` is no multiple of the autoencoder's factor, MemoryError if a process was killed.
    """
    if size <= 0 or size % space.factor:
        raise InvalidRequest("size", size, f"a multiple of {space.factor}")
    side = size // space.factor
    shapes = (3, size, size), (space.latent_channels, side, side)
    tell(f"the predictor on {' x '.join(map(str, shapes[1]))} latents")
    latents = apart(partial(step_cost, predictor, shapes[1]))
    tell(f"the decoder to {size} x {size} pixels")
    decode = apart(partial(decode_cost, space, side))
    tell(f"the predictor on {' x '.join(map(str, shapes[0]))} pixels")
    pixels = apart(partial(step_cost, predictor, shapes[0]))
    return Comparison(size, torch.get_num_threads(), Room(shapes[0], pixels, None), Room(shapes[1], latents, decode))


def step_cost(spec: UNetSpec, shape: tuple[int, int, int]) -> Cost:
    """One call of the predictor for one picture of `shape` in this process."""

    def call(device: str) -> Callable[[], object]:
        network, inputs = _predictor(spec, shape, device)
        return lambda: network(*inputs)

    counted = operations(call("meta"))
    return measured(call("cpu"), counted)


def decode_cost(spec: AutoencoderSpec, side: int) -> Cost:
    """One picture decoded from `side` x `side` latents in this process."""

    def call(device: str) -> Callable[[], object]:
        with torch.device(device):
            model = Autoencoder(spec).eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            latents = torch.zeros(1, spec.latent_channels, side, side)
        return lambda: model.decode(latents)

    counted = operations(call("meta"))
    return measured(call("cpu"), counted)


def _predictor(
    spec: UNetSpec, shape: tuple[int, int, int], device: str
) -> tuple[UNet, tuple[torch.Tensor, torch.Tensor, TextStates]]:
    channels = shape[0]
    with torch.device(device):
        network = UNet(replace(spec, channels_in=channels, channels_out=channels)).eval()
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        text = TextStates(
            torch.zeros(1, TOKENS, spec.text_width),
            torch.zeros(1, spec.pooled_width) if spec.pooled_width else None,
            size=torch.zeros(1, spec.size_numbers) if spec.size_numbers else None,
        )
        return network, (torch.zeros(1, *shape), torch.full((1,), 500.0), text)
