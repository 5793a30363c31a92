"""What other programs do without saying so is done again."""

import pytest

from inkwash.metadata.foreign import from_infotext
from inkwash.metadata.unsaid import of_comfy
from inkwash.request.generate import GenerateRequest

TEXT = "a cat\nSteps: 20, Sampler: {}, CFG scale: 7, Seed: 5, Size: 512x512"


def read(sampler: str, more: str) -> GenerateRequest:
    return from_infotext(f"{TEXT.format(sampler)}, {more}").request


@pytest.mark.parametrize(
    ("more", "rng"),
    [
        ("Version: v1.10.1", "philox"),
        ("Version: f2.0.1v1.10.1-previous-650", "philox"),
        ("RNG: CPU, Version: v1.10.1", "cpu"),
        ("RNG: cuda, Version: stable-diffusion.cpp", "philox"),
        ("Version: ComfyUI", "cpu"),
        ("Model: x", "cpu"),
    ],
)
def test_web_uis_draw_on_the_gpu_unless_they_say_so(more: str, rng: str) -> None:
    assert read("Euler a", more).noise.rng == rng


def test_variation_seeds_are_mixed_by_columns() -> None:
    varied = "Variation seed: 7, Variation seed strength: 0.3, Version: "
    assert read("Euler", varied + "v1.9.0").noise.columns
    assert not read("Euler", varied + "ComfyUI").noise.columns
    assert not read("Euler", "Version: v1.9.0").noise.columns


def test_automatic_is_a_spacing_by_the_sampler() -> None:
    for sampler, spacing in (("Euler a", "uniform"), ("DPM++ 2M", "karras"), ("DPM++ 2M SDE", "exponential")):
        assert read(sampler, "Schedule type: Automatic").spacing == spacing
    assert read("DPM++ 2M", "Schedule type: Beta").spacing == "beta"
    assert read("DPM++ 2M", "Model: x").spacing is None


def test_the_level_before_the_last_is_left_out_where_programs_do() -> None:
    assert read("DPM2 a", "Schedule type: Karras").way.discard
    assert not read("UniPC", "Schedule type: Karras").way.discard
    assert of_comfy(GenerateRequest(prompt="", sampler="unipc")).way.discard
    assert not of_comfy(GenerateRequest(prompt="", sampler="dpmpp_3m_sde")).way.discard
