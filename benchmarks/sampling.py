"""A sheet of pictures from a warm engine, with our network and with diffusers' in its place."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import cast

import torch

from benchmarks.models import model
from benchmarks.report import Section
from benchmarks.rival import rival
from benchmarks.settings import Settings, dtypes
from benchmarks.timing import Times, alternated
from inkwash.device import compute
from inkwash.pipeline.engine import Engine
from inkwash.predictor.unet import UNet
from inkwash.request.generate import GenerateRequest
from inkwash.weights.bundle import Bundle


def measure(settings: Settings) -> Section:
    """Both networks in the precisions that this processor has, in turns."""
    ours = model(settings.model)
    bundles = {"diffusers": twin(ours), "inkwash": ours}
    request = GenerateRequest(prompt="a photo of a cat", seed=0, count=settings.pictures, steps=settings.steps)
    contestants = {
        f"{name}, {dtype}": painter(bundle, dtype, request)
        for (name, bundle), dtype in product(bundles.items(), dtypes())
    }
    times = alternated(contestants, settings.rounds)
    return Section(
        "Painting, warm",
        f"{settings.pictures} pictures of {ours.defaults.width} × {ours.defaults.height} pixels by `{ours.name}`, "
        f"{settings.steps} steps of {ours.defaults.sampler} with guidance {ours.defaults.guidance:g}, decoded; with "
        "our network, and with the same network of diffusers behind the same seam. Median seconds of "
        f"{settings.rounds} alternating turns.",
        ("network", "seconds", "range", "pictures/s", "beside diffusers in float32"),
        tuple(row(name, times, settings.pictures) for name in times),
    )


def twin(ours: Bundle) -> Bundle:
    """The model with diffusers' network for its own; what is asked of a predictor, both can."""
    return replace(ours, predictor=cast(UNet, rival(cast(UNet, ours.predictor))))


def painter(bundle: Bundle, dtype: str, request: GenerateRequest) -> Callable[[], object]:
    """A function that paints the request; diffusers' network keeps the memory layout it comes with."""
    engine = Engine(bundle, compute("cpu", dtype))
    if not isinstance(bundle.predictor, UNet):
        bundle.predictor.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    return lambda: engine.paint(request)


def row(name: str, times: dict[str, Times], pictures: int) -> tuple[str, ...]:
    """One contestant."""
    mine = times[name]
    ratio = mine.faster_than(times["diffusers, float32"])
    return (name, f"{mine.seconds:.2f}", mine.spread, f"{pictures / mine.seconds:.2f}", f"{ratio:.2f} ×")
