"""Training steps of a bare network, and as diffusers' training script has them."""

from collections.abc import Callable
from contextlib import nullcontext

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from benchmarks.settings import Settings
from inkwash.device import Compute
from inkwash.nn.winograd import quick_convolutions
from inkwash.predictor.unet import UNet
from inkwash.types import TextStates

Lesson = tuple[Tensor, Tensor, TextStates, Tensor]
"""Noisy latents, steps, words, and what is to be told."""
Turn = Callable[[], None]
"""A few training steps."""


def drawn(settings: Settings) -> Lesson:
    """A batch of noise: speed does not depend on what the pictures show."""
    spec, batch = settings.spec, settings.batch
    x = torch.randn(batch, spec.channels_in, settings.side, settings.side)
    pooled = torch.randn(batch, spec.pooled_width) if spec.pooled_width else None
    keep = torch.arange(settings.tokens).expand(batch, -1) < settings.tokens - 1
    text = TextStates(torch.randn(batch, settings.tokens, spec.text_width), pooled, keep)
    return x, torch.rand(batch) * 1000, text, torch.randn(batch, spec.channels_out, settings.side, settings.side)


def pupil(network: nn.Module, lesson: Lesson, lessons: int, on: Compute) -> Turn:
    """Teach `network` the lesson a few times: the same for everybody, but ours convolves as our trainer lets it."""
    quick = quick_convolutions if isinstance(network, UNet) else lambda _: nullcontext()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4, fused=True)

    def learn() -> None:
        for _ in range(lessons):
            with on.autocast(), quick(on):
                taught(network, lesson)
            optimizer.step()
            optimizer.zero_grad()

    return learn


def scripted(network: nn.Module, lesson: Lesson, lessons: int) -> Turn:
    """The same with the optimizer and the average that diffusers' own script for text to image uses."""
    from diffusers.training_utils import EMAModel

    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4)
    average = EMAModel(network.parameters())

    def learn() -> None:
        for _ in range(lessons):
            taught(network, lesson)
            optimizer.step()
            optimizer.zero_grad()
            average.step(network.parameters())

    return learn


def taught(network: nn.Module, lesson: Lesson) -> None:
    """Leave a clipped gradient in the weights."""
    x, t, text, wanted = lesson
    mse_loss(network(x, t, text).float(), wanted).backward()
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)


@torch.no_grad()
def jogged(network: UNet) -> UNet:
    """The network with noise on its weights: as it is born its last layers are zero, and twins would agree for free."""
    for parameter in network.parameters():
        parameter.add_(torch.randn_like(parameter), alpha=0.02)
    return network


@torch.no_grad()
def difference(first: nn.Module, second: nn.Module, lesson: Lesson) -> float:
    """How far the answers of two networks are apart at most, in float32."""
    x, t, text, _ = lesson
    return float((first(x, t, text) - second(x, t, text)).abs().max())
