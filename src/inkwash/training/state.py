"""All that a training is at one moment: what a checkpoint holds, and nothing else."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn
from torch.optim import AdamW, Optimizer

from inkwash.training.average import Average
from inkwash.training.config import OptimizerConfig, RunConfig
from inkwash.training.muon import Muon


@dataclass
class TrainState:
    """Weights, the memory of the optimizers, averages, and the clock."""

    config: RunConfig
    model: nn.Module
    optimizers: tuple[Optimizer, ...]
    averages: tuple[Average, ...]
    images_seen: int = 0
    precision: torch.dtype = torch.float32
    """Of matrix products; the weights are float32."""

    @classmethod
    def fresh(cls, config: RunConfig, model: nn.Module, precision: torch.dtype = torch.float32) -> "TrainState":
        """The beginning of a run. The model is moved to channels-last memory."""
        model = model.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        averages = tuple(Average.of(model, width) for width in config.averages)
        return cls(config, model, optimizers(model, config.optimizer, precision), averages, precision=precision)


def optimizers(
    model: nn.Module, config: OptimizerConfig, precision: torch.dtype = torch.float32
) -> tuple[Optimizer, ...]:
    """AdamW for everything, or Muon for the matrices inside the network and AdamW for the rest."""
    named = [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad]
    if config.kind == "adamw":
        return (_adamw([weight for _, weight in named], config),)
    matrices = [weight for name, weight in named if weight.ndim > 1 and not _door(name)]
    chosen = {id(weight) for weight in matrices}
    rest = [weight for _, weight in named if id(weight) not in chosen]
    return Muon(matrices, config.rate, config.weight_decay, precision=precision), _adamw(rest, config)


def rate_at(images: int, total: int, config: OptimizerConfig) -> float:
    """The learning rate after `images` of `total` pictures: up, level, then in a line to 0."""
    up = min(1.0, images / config.warm_up) if config.warm_up else 1.0
    down = min(1.0, (1 - images / total) / (1 - config.decay_from)) if config.decay_from < 1 else 1.0
    return config.rate * min(up, max(down, 0.0))


def _adamw(weights: Iterable[nn.Parameter], config: OptimizerConfig) -> AdamW:
    weights = list(weights)
    groups = [
        {"params": [weight for weight in weights if weight.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [weight for weight in weights if weight.ndim <= 1], "weight_decay": 0.0},
    ]
    return AdamW([group for group in groups if group["params"]], lr=config.rate, betas=config.betas, fused=True)


def _door(name: str) -> bool:
    return "conv_in" in name or "conv_out" in name  # few, uneven directions: orthogonal steps hurt there
