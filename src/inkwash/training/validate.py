"""Is it learning, and where: the loss on pictures it never sees, by noise level, with noise that never changes."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import nn

from inkwash.device import Compute
from inkwash.training.cache import Shelf
from inkwash.training.config import TrainConfig
from inkwash.training.dice import dice
from inkwash.training.lessons import Draw, taken
from inkwash.training.objective import Batch, objective_of

BINS = 10
PICTURES = 128
"""At most so many held-out pictures are asked."""
CHUNK = 64
STREAM = 1 << 60  # beside the streams of training


@torch.inference_mode()
def validate(
    model: nn.Module, shelf: Shelf, held: Sequence[int], config: TrainConfig, compute: Compute
) -> tuple[float, ...]:
    """Mean loss in `BINS` equal parts of the schedule, the cleanest first; the noise never changes."""
    objective = replace(objective_of(config), times=replace(config.times, uniform_share=1.0))
    was_training = model.training
    model.eval()
    losses = []
    for number in range(BINS):
        total, asked = 0.0, held[:PICTURES]
        for start in range(0, len(asked), CHUNK):
            question = _question(shelf, asked[start : start + CHUNK], config, number)
            with compute.autocast():
                total += objective(model, question).loss.double().sum().item()
        losses.append(total / len(asked))
    model.train(was_training)
    return tuple(losses)


def _question(shelf: Shelf, pictures: Sequence[int], config: TrainConfig, number: int) -> Batch:
    """The pictures at fixed levels within one part of the schedule, with noise of their own for every part."""
    streams = [dice(config.seed, STREAM + picture * BINS + number) for picture in pictures]
    draws = [Draw(picture, 0, int(shelf.words.choices(picture)[0])) for picture in pictures]
    level = torch.tensor([(number + stream.random()) / BINS for stream in streams], dtype=torch.float64).float()
    return taken(shelf, draws, streams, level)
