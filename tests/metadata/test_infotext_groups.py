from dataclasses import replace
from pathlib import Path

import pytest

from inkwash.metadata.foreign import from_infotext
from inkwash.metadata.infotext import parameters
from inkwash.request.generate import GenerateRequest
from inkwash.request.hires import Hires
from inkwash.request.inpaint import Inpaint
from inkwash.request.templates import Written
from inkwash.request.tiling import Tiling

ASKED = GenerateRequest(
    prompt="a cat", width=64, height=32, steps=20, sampler="euler", spacing="karras", guidance=3.0, seed=7
)
FULL = Hires(
    scale=1.5,
    upscaler="Latent (bicubic)",
    steps=9,
    strength=0.4,
    sampler="dpmpp_2m",
    spacing="sgm_uniform",
    guidance=4.5,
    prompt="a cat, in: ink",
    negative_prompt="blur",
)


@pytest.mark.parametrize(
    "group",
    [
        {"hires": FULL},
        {"hires": Hires(width=128, height=64, strength=0.7, steps=20)},
        {"hires": Hires(height=64, strength=0.7, steps=20, upscaler="Lanczos")},
        {"inpaint": Inpaint(blur=4, fill="noise", only_masked=True, padding=12, invert=True)},
        {"inpaint": Inpaint(fill="blurred", soft=True)},
        {"tiling": Tiling(seamless="both")},
        {"tiling": Tiling(seamless="y")},
        {"written": Written(prompt="a {cat|dog}, asleep", negative_prompt="__bad__")},
    ],
)
def test_groups_go_into_the_text_and_come_back(group: dict[str, object]) -> None:
    asked = replace(ASKED, **group)  # type: ignore[arg-type]
    found = from_infotext(parameters(asked, "pets", "", "0.1.0"))
    assert {name: getattr(found.request, name) for name in group} == group
    assert found.rest == {"Version": "inkwash 0.1.0"}


def test_the_keys_are_those_of_the_web_ui() -> None:
    asked = replace(ASKED, hires=FULL, tiling=Tiling(seamless="both"))
    assert (
        parameters(asked, "pets", "", "1")
        .splitlines()[-1]
        .endswith(
            "Model: pets, Denoising strength: 0.4, Tiling: True, Hires upscale: 1.5, Hires steps: 9, "
            "Hires upscaler: Latent (bicubic), Hires sampler: DPM++ 2M, Hires schedule type: SGM Uniform, "
            'Hires CFG Scale: 4.5, Hires prompt: "a cat, in: ink", Hires negative prompt: blur, Version: inkwash 1'
        )
    )
    hole = Inpaint(blur=4, fill="blurred", only_masked=True, padding=8, invert=True)
    asked = replace(ASKED, image=Path("a.png"), mask=Path("b.png"), strength=0.6, inpaint=hole)
    assert (
        parameters(asked, "pets", "", "1")
        .splitlines()[-1]
        .endswith(
            "Denoising strength: 0.6, Mask blur: 4, Masked content: fill, Inpaint area: Only masked, "
            "Masked area padding: 8, Mask mode: Inpaint not masked, Version: inkwash 1"
        )
    )


def test_a_text_of_the_web_ui() -> None:
    found = from_infotext(
        "a cat\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 512x512, Denoising strength: 0.55, "
        "Hires resize: 1024x768, Hires steps: 12, Hires upscaler: R-ESRGAN 4x+, Tiling: True, Version: v1.10.1"
    )
    assert found.request.tiling == Tiling(seamless="both")
    assert found.request.hires == Hires()  # there is no such upscaler here
    assert found.rest["Hires upscaler"] == "R-ESRGAN 4x+"
    assert found.rest["Denoising strength"] == "0.55"
    ours = from_infotext(
        "a cat\nSteps: 20, Seed: 1, Size: 512x512, Denoising strength: 0.55, Hires resize: 1024x768, "
        "Hires steps: x, Hires upscaler: Latent"
    )
    assert ours.request.hires == Hires(width=1024, height=768, strength=0.55)
    assert ours.rest == {"Hires steps": "x"}
