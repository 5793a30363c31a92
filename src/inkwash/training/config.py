"""Runs as values: everything that decides what a training learns."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from inkwash.denoiser import Target
from inkwash.errors import InvalidRequest
from inkwash.forward.schedule import DiscreteSchedule, FlowSchedule, Schedule
from inkwash.latent.spec import AutoencoderSpec
from inkwash.predictor.spec import UNetSpec
from inkwash.training.autoencoder import ReconstructionWeights

Precision = Literal["auto", "float32", "bfloat16"]
Weighting = Literal["even", "min-snr"]
ScheduleName = Literal["flow", "scaled-linear", "linear", "cosine"]

FREE = frozenset({"images", "prompts", "validate_every", "snapshots"})
"""Fields that may change between two halves of a run: a longer run continues a shorter one."""


@dataclass(frozen=True, kw_only=True)
class Times:
    """Which steps are taught: mostly a logit-normal, partly even, so that both ends are seen.  (Esser 2024, eq. 19)"""

    mean: float = 0.0
    std: float = 1.0
    uniform_share: float = 0.1
    """Share of the pictures whose step is drawn evenly; 1 draws all of them so."""


@dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
    """How weights follow gradients; every span is counted in pictures, not in steps."""

    kind: Literal["adamw", "muon"] = "adamw"
    rate: float = 5e-4
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.01
    """On weights of two or more dimensions only."""
    warm_up: int = 32_000
    """Pictures until the rate is full."""
    decay_from: float = 0.7
    """Part of the run after which the rate falls in a line to 0."""
    clip: float = 2.0
    """Largest norm of a gradient: a net, not a tool."""


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """What every training has. The clock counts pictures."""

    name: str
    images: int
    """Pictures to see in all, repeats counted."""
    batch: int
    """Pictures per step, over all workers."""
    size: int
    """Side of the square pictures, in pixels."""
    accumulate: int = 1
    """Parts that a worker cuts its share of a batch into, to save memory."""
    seed: int = 0
    optimizer: OptimizerConfig = OptimizerConfig()
    averages: tuple[float, ...] = (0.05, 0.10)
    """Widths sigma_rel of the averages of the weights.  (Karras et al. 2024, 3.1)"""
    held_out: int = 20
    """Every how-manieth picture is kept for validation; 0 keeps none."""
    precision: Precision = "auto"
    """`auto` races float32 against bfloat16 at the start and keeps the winner for the whole run."""
    validate_every: int = 64_000
    """Pictures between two validations."""
    snapshots: int = 25
    """How many half-precision copies of the averages are kept over the run."""

    def __post_init__(self) -> None:
        if self.images < self.batch:
            raise InvalidRequest("images", self.images, f"at least one batch ({self.batch})")

    def as_json(self) -> dict[str, Any]:
        """Plain values, as they come back from a file."""
        return json.loads(json.dumps(asdict(self)))  # type: ignore[no-any-return]


@dataclass(frozen=True, kw_only=True)
class TrainConfig(RunConfig):
    """The training of a noise predictor."""

    predictor: UNetSpec
    target: Target = "flow"
    schedule: ScheduleName = "flow"
    times: Times = Times()
    weighting: Weighting = "even"
    alignment: float = 0.0
    """How much the bottom of the U must see what an ImageNet network sees in the clean picture; 0: it need not."""
    balance: float = 0.0
    """How far rare kinds are favoured: n pictures with the same first caption are shown like n^(1 - balance).

    0 shows every picture equally often, 1 every caption.  (Mahajan et al. 2018, 2.2: 0.5)
    """
    caption_dropout: float = 0.1
    """Share of pictures shown with the empty prompt, for guidance."""
    flips: bool = True
    prompts: tuple[str, ...] = ()
    """What the sample sheets show."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.balance <= 1:
            raise InvalidRequest("balance", self.balance, "a number from 0 to 1")
        if self.weighting == "min-snr" and self.target == "flow":
            raise InvalidRequest("weighting", self.weighting, "'even' for a flow target")

    def noise_levels(self) -> Schedule:
        """The schedule by its name."""
        match self.schedule:
            case "flow":
                return FlowSchedule()
            case "scaled-linear":
                return DiscreteSchedule.scaled_linear()
            case "linear":
                return DiscreteSchedule.linear()
            case "cosine":
                return DiscreteSchedule.cosine()


@dataclass(frozen=True, kw_only=True)
class AutoencoderConfig(RunConfig):
    """The training of an autoencoder, on random crops."""

    autoencoder: AutoencoderSpec
    crop: int = 64
    """Side of the crops, in pixels."""
    likeness: ReconstructionWeights = field(default_factory=ReconstructionWeights)
    halved_every: int = 4
    """Every how-manieth batch also asks for the picture at half its size; 0 never does."""


def same_run(before: Mapping[str, Any], now: RunConfig) -> None:
    """Raises InvalidRequest that names the first field in which `now` differs from the config that began the run."""
    old, new = dict(_leaves(before)), dict(_leaves(now.as_json()))
    for name in sorted(old.keys() & new.keys() - FREE):
        if old[name] != new[name]:
            raise InvalidRequest(name, new[name], f"{old[name]!r} as when this run began, or in another folder")


def _leaves(tree: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value by its path; tables in lists are tables, too, so that new fields do not end old runs."""
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{path}{name}.")
        elif isinstance(value, list) and value and all(isinstance(each, Mapping) for each in value):
            yield f"{path}{name}.length", len(value)
            yield from _leaves({str(place): each for place, each in enumerate(value)}, f"{path}{name}.")
        else:
            yield f"{path}{name}", value
