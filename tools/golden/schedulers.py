"""schedulers.json: the classes of diffusers, walked by inkwash's samplers over inkwash's levels.

The loop of the goldens starts from arange(768) / 768 times init_noise_sigma, asks the network eps = x_in * t / (t + 1)
and draws all noise from one generator with seed 0. What a scheduler asks for is `inkwash.reverse.scheduler_config`;
here is only how its numbers are compared, and the one habit of diffusers that inkwash does not share.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from inkwash.denoiser import Denoiser, NetworkDenoiser, Target
from inkwash.forward.noising import shrink
from inkwash.guidance import bounded
from inkwash.reverse.scheduler_config import Walk, planned
from inkwash.reverse.timetable import Timetable
from inkwash.rng import NoiseSource
from inkwash.types import Latents, TextStates
from tools.golden import Case, Verdict
from tools.golden.confused import Confused, OfV, by_turns, legs

BAR = 1e-5
ULP = 2.0**-23
TARGETS: dict[str, Target] = {"epsilon": "epsilon", "v_prediction": "v", "sample": "x0", "flow_prediction": "flow"}
NO_TEXT = TextStates(torch.zeros(4, 1, 1))
Golden = dict[str, Any]


def cases(folder: Path) -> Iterator[Case]:
    """A case for each of schedulers.json."""
    path = folder / "schedulers.json"
    if path.is_file():
        for golden in json.loads(path.read_text())["cases"]:
            yield Case(golden["name"], partial(judged, golden))


def judged(golden: Golden) -> Verdict:
    """The worst of levels, times and final sample."""
    walk = planned(golden["cls"], golden["cfg"], golden["n"])
    net = Net(golden["cls"].startswith("EDM") and golden["cfg"].get("prediction_type", "epsilon") == "epsilon")
    last = final(golden, walk, net)
    errors = {
        "levels": levels_apart(golden, walk),
        "start": start_apart(golden, walk),
        "times": times_apart(torch.cat(net.heard), torch.tensor(golden["timesteps"], dtype=torch.float64)),
        **sample_apart(golden, last, walk.start),
    }
    worst = max(errors, key=lambda name: errors[name])
    return Verdict(errors[worst], bar(golden), worst)


def bar(golden: Golden) -> float:
    """What may differ: twice as much where diffusers' single precision costs a golden its last digit.

    DEIS' closed form does, and Euler's step from σ = 4096.
    """
    far = golden["init_noise_sigma"] > 1000
    return 2 * BAR if far or golden["cls"] == "DEISMultistepScheduler" else BAR


@dataclass(frozen=True)
class Net:
    """The network of the goldens; remembers what it is told of the first picture's step."""

    backwards: bool = False
    """EDM's networks tell v with the other sign."""
    heard: list[Tensor] = field(default_factory=list)

    def __call__(self, x: Latents, t: Tensor, text: TextStates) -> Latents:
        """Eps = x t / (t + 1)."""
        self.heard.append(t[:1])
        said = x * (t / (t + 1)).reshape(-1, 1, 1, 1)
        return -said if self.backwards else said


def final(golden: Golden, walk: Walk, net: Net) -> Tensor:
    """The last sample in the golden's own units."""
    cls, cfg = golden["cls"], golden["cfg"]
    target = "flow" if flows(golden) else TARGETS[cfg.get("prediction_type", "epsilon")]
    told = partial(NetworkDenoiser, target="v" if cls.startswith("EDM") else target, text=NO_TEXT)
    ask: Denoiser = told(net, walk.schedule)
    if cls == "KDPM2AncestralDiscreteScheduler" and isinstance(walk.schedule, Timetable):
        ask = by_turns(ask, told(net, walk.schedule.inner))
    if cls == "LCMScheduler":
        ask = bounded(ask, walk.schedule, pace=cfg.get("timestep_scaling", 10.0))
    pndm, of_v = cls == "PNDMScheduler", target == "v"
    if (pndm or cls == "DDIMScheduler") and cfg.get("timestep_spacing") in ("linspace", "trailing"):
        return mislaid(walk, ask, pndm=pndm, of_v=of_v)
    ask = OfV(ask, walk.sigmas[0].double()) if pndm and of_v else ask
    *_, step = walk.sampler(ask, walk.start * pattern(), walk.sigmas.double(), NoiseSource.shared(0, 4))
    return step.x * in_its_units(golden, walk.sigmas[-1].double())


def in_its_units(golden: Golden, sigma: Tensor) -> Tensor:
    """Schedulers that begin with unit variance keep it; the others end in clean + σ eps as inkwash does."""
    if golden["cls"].startswith("EDM"):
        return torch.tensor(golden["cfg"].get("sigma_data", 0.5))
    if flows(golden):
        return 1 / (1 + sigma)
    return shrink(sigma) if golden["init_noise_sigma"] == 1 else torch.ones(())


def pattern() -> Tensor:
    """The first sample, before init_noise_sigma."""
    return (torch.arange(768).reshape(3, 8, 8, 4) / 768).permute(3, 0, 1, 2).double()


def flows(golden: Golden) -> bool:
    """Whether the case is rectified flow."""
    return golden["cls"].startswith("FlowMatch") or "use_flow_sigmas" in golden["cfg"]


def levels_apart(golden: Golden, walk: Walk) -> float:
    """The largest relative difference between levels, each counted once; 0 where the class lists none."""
    if "sigmas" not in golden:
        return 0.0
    theirs = torch.tensor(golden["sigmas"], dtype=torch.float64).unique_consecutive()
    ours = walk.sigmas.double().unique_consecutive()
    if flows(golden):
        ours = ours / (1 + ours)
    elif golden["cls"].startswith("EDM"):
        ours = ours * golden["cfg"].get("sigma_data", 0.5)
    if ours.shape != theirs.shape:
        return float("inf")
    return float(((ours - theirs).abs() / theirs.clamp(min=1e-12)).max())


def start_apart(golden: Golden, walk: Walk) -> float:
    """Relative difference of init_noise_sigma."""
    top = walk.sigmas[0].item()
    unit = golden["cfg"].get("sigma_data", 0.5) if golden["cls"].startswith("EDM") else 1.0
    own = 1.0 if golden["init_noise_sigma"] != 1 else (1 + top if flows(golden) else (1 + top**2) ** 0.5)
    return abs(float(walk.start * unit / own / golden["init_noise_sigma"]) - 1)


def times_apart(ours: Tensor, theirs: Tensor) -> float:
    """What the network was told at every call, in order: whole numbers exactly, others relatively.

    A fractional t is a tenth as certain as the level it comes from: log σ changes by a hundredth between two t.
    """
    if ours.shape != theirs.shape or ((theirs == theirs.round()).all() and not torch.equal(ours.double(), theirs)):
        return float("inf")
    return float(((ours - theirs).abs() / theirs.abs().clamp(min=1)).max()) / 10


def sample_apart(golden: Golden, last: Tensor, start: float) -> dict[str, float]:
    """Relative differences of the sum of sizes, of their mean, and of a corner against its largest value.

    One step from pure noise is the small difference of two large numbers: the golden knows it to an ulp of these. Two
    are another where the first goes nearly all the way.
    """
    corner = torch.tensor(golden["slice"], dtype=torch.float64)
    unknown = ULP * (1 if flows(golden) else start) if golden["n"] <= 2 else 0.0
    apart = {
        "sum": (abs(float(last.abs().sum()) - golden["sum"]) / last.numel(), golden["mean"]),
        "mean": (abs(float(last.abs().mean()) - golden["mean"]), golden["mean"]),
        "corner": (float((last[0, -1, -3:, -3:].flatten() - corner).abs().max()), float(corner.abs().max())),
    }
    return {name: max(error - unknown, 0.0) / max(size, ULP) for name, (error, size) in apart.items()}


def mislaid(walk: Walk, ask: Denoiser, *, pndm: bool, of_v: bool) -> Tensor:
    """The walk of diffusers' DDIM or PNDM on linspace (`tools.golden.confused`)."""
    assert isinstance(walk.schedule, Timetable)  # noqa: S101  all its walks have one
    taken = legs(walk, walk.schedule.inner, walk.schedule.told, pndm=pndm)
    plain = legs(walk, walk.schedule.inner, walk.schedule.told, pndm=False)
    ask = OfV(ask, taken.begin[0]) if pndm and of_v else ask
    confused = Confused(walk, ask, taken, plain, pndm)
    *_, step = walk.sampler(confused, walk.start * pattern(), taken.levels, NoiseSource.shared(0, 4))
    return step.x / taken.units[-1] * shrink(walk.sigmas[-1].double())
