"""The second half of an autoencoder's training: sharper pictures from the same latents."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from inkwash.errors import InvalidRequest, WeightsError
from inkwash.latent.autoencoder import Autoencoder
from inkwash.latent.spec import TINY
from inkwash.training.autoencoder import ReconstructionWeights
from inkwash.training.config import OptimizerConfig
from inkwash.training.critic_config import CriticConfig
from inkwash.training.critic_course import CriticCourse, critic_course
from inkwash.training.data import Pictures
from inkwash.training.looks import Painted, Validation
from inkwash.training.run import Event, Habits, prepare, run
from inkwash.training.workers import Team
from inkwash.weights.parts import read_autoencoder, write_part

Torn = Callable[[Any], tuple[Path, Path]]
SPEC = replace(TINY, latent_mean=(0.1, 0.2, 0.3, 0.4), latent_std=(0.5, 0.6, 0.7, 0.8))
CONFIG = CriticConfig(
    name="toy",
    size=32,
    crop=16,
    likeness=ReconstructionWeights(perceptual=0.2, blocks=(2, 4)),
    images=48,
    batch=8,
    optimizer=OptimizerConfig(rate=1e-3, betas=(0.5, 0.9), warm_up=0),
    held_out=6,
    precision="float32",
    validate_every=24,
    averages=(0.05,),
    snapshots=0,
    alone=16,
    rise=16,
    critic_width=8,
    critic_layers=2,
)


@pytest.fixture
def course(tmp_path: Path) -> CriticCourse:
    torch.manual_seed(0)
    write_part(tmp_path / "before.safetensors", Autoencoder(SPEC).state_dict(), SPEC)
    pixels = torch.randint(256, (12, 3, 32, 32), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    pictures = Pictures(pixels, tuple(f"{index:06d}" for index in range(12)), (("chance",),) * 12)
    return critic_course(CONFIG, tmp_path / "before.safetensors", pictures, tmp_path / "cache")


def happened(course: CriticCourse, out: Path) -> list[Event]:
    return list(run(prepare(course, out), out, Habits()))


def test_the_decoder_learns_and_the_latents_stay(course: CriticCourse, tmp_path: Path) -> None:
    events = happened(course, tmp_path / "run")
    before = read_autoencoder(tmp_path / "before.safetensors")
    after = read_autoencoder(tmp_path / "run" / "autoencoder.safetensors")
    assert after.spec == before.spec == SPEC
    for name, weight in before.encoder.state_dict().items():
        assert torch.equal(after.encoder.state_dict()[name], weight)
    for name, weight in before.decoder.named_parameters():
        assert not torch.equal(after.decoder.get_parameter(name), weight), name
    first, last = (event.found for event in events if isinstance(event, Validation))
    assert last["psnr"] > first["psnr"]
    assert first.keys() == {"psnr", "perceptual"}
    (painted,) = (event for event in events if isinstance(event, Painted))
    assert painted.path.is_file()


def test_killed_after_any_step_the_run_ends_bit_for_bit_the_same(course: CriticCourse, torn: Torn) -> None:
    whole, parts = torn(course)
    for name in ("log.jsonl", "autoencoder.safetensors"):
        assert (parts / name).read_bytes() == (whole / name).read_bytes()


def test_the_critics_voice_follows_from_the_clock(course: CriticCourse) -> None:
    pulls = [shown.pull for (shown,) in course.lessons(0, Team())]
    assert pulls == [0, 0, 0, 0.125, 0.25, 0.25]
    assert [shown.pull for (shown,) in course.lessons(24, Team())] == pulls[3:]


def test_a_run_goes_on_with_the_same_autoencoder_only(course: CriticCourse, tmp_path: Path) -> None:
    prepare(course, tmp_path / "run")
    with pytest.raises(InvalidRequest, match="autoencoder is 'other', but must be"):
        prepare(replace(course, weights="other"), tmp_path / "run")


def test_a_missing_autoencoder_is_said_at_once(course: CriticCourse, tmp_path: Path) -> None:
    pictures = Pictures(torch.zeros(4, 3, 32, 32, dtype=torch.uint8), ("1", "2", "3", "4"), (("",),) * 4)
    with pytest.raises(WeightsError, match=r"cannot read .*none.safetensors"):
        critic_course(CONFIG, tmp_path / "none.safetensors", pictures, tmp_path)
