"""A toy autoencoder goes through the trainer: it learns, and it goes on where it was killed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from inkwash.latent.spec import TINY
from inkwash.training.autoencoder import ReconstructionWeights
from inkwash.training.autoencoder_course import AutoencoderCourse, autoencoder_course
from inkwash.training.config import AutoencoderConfig, OptimizerConfig
from inkwash.training.data import Pictures
from inkwash.training.log import read_log
from inkwash.training.looks import Painted, Validation
from inkwash.training.run import Event, Habits, prepare, run

Torn = Callable[[Any], tuple[Path, Path]]
CONFIG = AutoencoderConfig(
    name="toy",
    autoencoder=TINY,
    size=32,
    crop=16,
    likeness=ReconstructionWeights(blocks=(2, 4)),
    images=48,
    batch=8,
    optimizer=OptimizerConfig(kind="muon", rate=3e-3, warm_up=64),
    held_out=6,
    precision="float32",
    validate_every=24,
    averages=(0.05,),
    snapshots=0,
)


def hills(count: int = 24, side: int = 32) -> Pictures:
    """Smooth colours, each picture its own."""
    dice = torch.Generator().manual_seed(0)
    rough = torch.rand(count, 3, 4, 4, generator=dice)
    smooth = torch.nn.functional.interpolate(rough, (side, side), mode="bicubic").clamp(0, 1)
    keys = tuple(f"{index:06d}" for index in range(count))
    return Pictures((smooth * 255).to(torch.uint8), keys, (("a hill",),) * count)


def toy(cache: Path, config: AutoencoderConfig = CONFIG) -> AutoencoderCourse:
    return autoencoder_course(config, hills(), cache)


def happened(course: AutoencoderCourse, out: Path) -> list[Event]:
    return list(run(prepare(course, out), out, Habits()))


def test_the_picture_comes_back_better_and_better(tmp_path: Path) -> None:
    config = replace(CONFIG, images=320, validate_every=64)
    events = happened(toy(tmp_path / "cache", config), tmp_path / "run")
    found = [event.found["psnr"] for event in events if isinstance(event, Validation)]
    assert found[-1] > found[0] + 1
    losses = [row["loss"] for row in read_log(tmp_path / "run" / "log.jsonl") if row["kind"] == "step"]
    assert sum(losses[-10:]) < 0.8 * sum(losses[:10])
    (painted,) = (event for event in events if isinstance(event, Painted))
    assert painted.path.is_file()


def test_killed_after_any_step_the_run_ends_bit_for_bit_the_same(tmp_path: Path, torn: Torn) -> None:
    whole, parts = torn(toy(tmp_path / "cache"))
    for name in ("log.jsonl", "autoencoder.safetensors"):
        assert (parts / name).read_bytes() == (whole / name).read_bytes()
