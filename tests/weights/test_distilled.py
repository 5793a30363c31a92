"""Who is believed about models that need few steps, and how they are sampled then."""

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from inkwash.weights.choice import ModelChoice
from inkwash.weights.containers.source import Source, in_memory
from inkwash.weights.distilled import HABITS, Haste, haste
from inkwash.weights.families import Distilled
from inkwash.weights.gathered import gathered
from inkwash.weights.habits import defaults_of, target_of
from inkwash.weights.prediction import SCHEDULER
from tools.checkpoints import Shelf


def named(name: str, **notes: str) -> Source:
    told = {key.replace("__", "."): text for key, text in notes.items()}
    return replace(in_memory({}, told), files=(Path("folder") / name,))


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        (named("sdxl_lightning_4step.safetensors"), Haste("lightning", "the file's name", 4)),
        (named("Hyper-SDXL-8steps.safetensors"), Haste("hyper", "the file's name", 8)),
        (named("dreamXLTurbo_v2.safetensors"), Haste("turbo", "the file's name")),
        (named("dreamshaper-LCM.safetensors"), Haste("lcm", "the file's name")),
        (named("hyperrealistic.safetensors"), None),
        (named("cats.safetensors"), None),
        (named("x.safetensors", modelspec__architecture="stable-diffusion-xl-turbo-v1"),
         Haste("turbo", "modelspec.architecture")),
        (named("lightning.safetensors", modelspec__title="My LCM, 6 steps"), Haste("lcm", "modelspec.title", 6)),
        (replace(named("lcm.safetensors"), metadata={SCHEDULER: "{}"}), None),
    ],
)  # fmt: skip
def test_notes_before_names_and_the_scheduler_before_both(source: Source, wanted: Haste | None) -> None:
    assert haste(source) == wanted


def test_the_user_has_the_first_word() -> None:
    assert haste(named("sdxl_lightning_4step.safetensors"), "none") == Haste("none", "the user", 4)
    assert HABITS.keys() == set(get_args(Distilled)) - {"none"}


def test_a_name_decides_how_a_file_is_sampled_and_the_user_overrules_it(shelf: Shelf, tmp_path: Path) -> None:
    def habits(name: str, wish: Distilled | None = None) -> tuple[object, ...]:
        path = tmp_path / name
        path.symlink_to(shelf("sdxl", "single"))
        whole = gathered(ModelChoice(path, distilled=wish))
        found = defaults_of(whole, 8)
        return found.steps, found.guidance, found.sampler, found.spacing, found.width, target_of(whole)

    assert habits("cats.safetensors") == (50, 5.0, "euler", "leading", 1024, "epsilon")
    assert habits("lightning_8step.safetensors") == (8, 1.0, "euler", "trailing", 1024, "epsilon")
    assert habits("lightning_1step.safetensors") == (1, 1.0, "euler", "trailing", 1024, "x0")
    assert habits("turbo.safetensors") == (4, 1.0, "euler_ancestral", "trailing", 512, "epsilon")
    assert habits("lcm.safetensors", "none") == (50, 5.0, "euler", "leading", 1024, "epsilon")
    assert habits("dogs.safetensors", "lcm") == (4, 1.0, "lcm", "lcm", 1024, "epsilon")
