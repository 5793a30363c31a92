"""One training step of the predictor, ours beside diffusers'."""

from collections.abc import Callable
from itertools import product

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from benchmarks.report import Section
from benchmarks.rival import rival
from benchmarks.settings import Settings
from benchmarks.timing import Times, alternated
from inkwash.device import Compute, compute
from inkwash.predictor.unet import UNet
from inkwash.types import TextStates

Lesson = tuple[Tensor, Tensor, TextStates, Tensor]
"""Noisy latents, steps, words, and what is to be told."""


def measure(settings: Settings) -> Section:
    """Both networks in both precisions, in turns."""
    torch.manual_seed(0)
    ours = jogged(UNet(settings.spec))
    networks: dict[str, nn.Module] = {"diffusers": rival(ours), "inkwash": ours}
    ours.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    lesson = drawn(settings)
    agreed = difference(networks["inkwash"], networks["diffusers"], lesson)
    contestants = {
        f"{name}, {dtype}": pupil(network, lesson, settings.lessons, compute("cpu", dtype))
        for (name, network), dtype in product(networks.items(), ("float32", "bfloat16"))
    }
    times = alternated(contestants, settings.rounds)
    million = sum(parameter.numel() for parameter in ours.parameters()) / 1e6
    return Section(
        "Training step",
        f"Forward, backward, clipping and AdamW for {settings.batch} latents of {settings.spec.channels_in} × "
        f"{settings.side} × {settings.side} with {settings.tokens} tokens; {million:.1f} M parameters, the same "
        f"weights in both (answers differ by {agreed:.1e} at most). Ours is in channels-last memory, as our trainer "
        f"has it; diffusers' is as it comes. Median images per second of {settings.rounds} alternating turns of "
        f"{settings.lessons} steps.",
        ("network", "images/s", "seconds of a turn", "beside diffusers in float32", "beside diffusers in bfloat16"),
        tuple(row(name, times, settings) for name in times),
    )


def row(name: str, times: dict[str, Times], settings: Settings) -> tuple[str, ...]:
    """One contestant: its speed, and its speed over that of diffusers."""
    mine = times[name]
    ratios = (mine.faster_than(times[f"diffusers, {dtype}"]) for dtype in ("float32", "bfloat16"))
    speed = settings.batch * settings.lessons / mine.seconds
    return (name, f"{speed:.1f}", mine.spread, *(f"{ratio:.2f} ×" for ratio in ratios))


def drawn(settings: Settings) -> Lesson:
    """A batch of noise: speed does not depend on what the pictures show."""
    spec, batch = settings.spec, settings.batch
    x = torch.randn(batch, spec.channels_in, settings.side, settings.side)
    pooled = torch.randn(batch, spec.pooled_width) if spec.pooled_width else None
    keep = torch.arange(settings.tokens).expand(batch, -1) < settings.tokens - 1
    text = TextStates(torch.randn(batch, settings.tokens, spec.text_width), pooled, keep)
    return x, torch.rand(batch) * 1000, text, torch.randn(batch, spec.channels_out, settings.side, settings.side)


def pupil(network: nn.Module, lesson: Lesson, lessons: int, on: Compute) -> Callable[[], None]:
    """A function that teaches `network` the lesson a few times."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4, fused=True)
    x, t, text, wanted = lesson

    def learn() -> None:
        for _ in range(lessons):
            with on.autocast():
                loss = mse_loss(network(x, t, text).float(), wanted)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()

    return learn


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
