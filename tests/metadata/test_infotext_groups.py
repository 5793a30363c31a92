from dataclasses import replace
from pathlib import Path

import pytest

from inkwash.metadata.dialects import Dialect
from inkwash.metadata.foreign import _foreign, from_infotext
from inkwash.metadata.infotext import parameters
from inkwash.metadata.infotext_groups import with_groups, written
from inkwash.request.generate import GenerateRequest
from inkwash.request.guidance import PAG, FreeU, Rules
from inkwash.request.hires import Hires
from inkwash.request.inpaint import Inpaint
from inkwash.request.noise import Noise
from inkwash.request.refiner import Refiner
from inkwash.request.templates import Written
from inkwash.request.tiling import Tiling
from inkwash.request.way import Way

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


ANCESTRAL = replace(ASKED, sampler="euler_ancestral")
STEERED = replace(
    ANCESTRAL,
    noise=Noise(rng="philox", delta=31337, resize_from=(512, 768)),
    way=Way(eta=0.5, s_churn=10.0, s_tmin=0.25, s_tmax=5.0, s_noise=1.01, discard=True),
    freeu=FreeU(b1=1.2, b2=1.4, s1=0.9, s2=0.2),
    pag=PAG(scale=3.0),
    rules=Rules(mimic=7.0, percentile=0.99),
)
LINE = "a\nSteps: 20, Sampler: {}, CFG scale: 7, Seed: 1, Size: 64x64, {}"


def test_the_names_of_the_web_ui_and_forge() -> None:
    text = parameters(replace(STEERED, refiner=Refiner(model="a/xl.safetensors", sha256="0" * 64)), "pets", "", "1")
    assert (
        "Seed resize from: 512x768, ENSD: 31337, RNG: NV, Refiner: xl [0000000000], Refiner switch at: 0.8, Eta: 0.5, "
        "Sigma churn: 10, Sigma tmin: 0.25, Sigma tmax: 5, Sigma noise: 1.01, Discard penultimate sigma: True, "
        "freeu_enabled: True, freeu_b1: 1.2, freeu_b2: 1.4, freeu_s1: 0.9, freeu_s2: 0.2, "
        "PerturbedAttentionGuidance_enabled: True, PerturbedAttentionGuidance_scale: 3, "
        "dynthres_enabled: True, dynthres_mimic_scale: 7, dynthres_threshold_percentile: 0.99, "
        "dynthres_mimic_mode: Constant, dynthres_cfg_mode: Constant, Version: inkwash 1"
    ) in text


def test_steering_there_and_back() -> None:
    read = from_infotext(parameters(STEERED, "pets", "", "1"))
    for group in ("noise", "way", "freeu", "pag", "rules"):
        assert getattr(read.request, group) == getattr(STEERED, group), group
    assert read.rest == {"Version": "inkwash 1"}


def test_who_says_something_of_noise_says_whose() -> None:
    """A reader without the key would take that of a GPU."""
    assert written(replace(ASKED, noise=Noise(delta=1))) == {"ENSD": "1", "RNG": "CPU"}
    assert written(replace(ASKED, noise=Noise(rng="batch"))) == {"RNG": "Batch"}
    assert written(replace(ASKED, sampler="ddim", way=Way(eta=1.0))) == {"Eta DDIM": "1"}


@pytest.mark.parametrize(
    ("sampler", "said", "rest"),
    [
        ("DPM++ 2M", "Eta: 0.5", {"Eta": "0.5"}),
        ("Euler a", "Eta: much", {"Eta": "much"}),
        ("Euler", "Sigma churn: -3", {"Sigma churn": "-3"}),
        ("Euler", "RNG: dice", {"RNG": "dice"}),
        ("Euler", "Seed resize from: -1x-1", {"Seed resize from": "-1x-1"}),
        ("Euler", "ENSD: 1e400", {"ENSD": "1e400"}),
        ("Euler", "freeu_b1: 1.2", {"freeu_b1": "1.2"}),
        ("Euler", "Skip layers: [7, 8, 9, ]", {"Skip layers": "[7"}),
        ("Euler", "NGMS: 0.5", {"NGMS": "0.5"}),
        (
            "Euler",
            "multidiffusion_enabled: True, multidiffusion_method: Mixture of Diffusers, multidiffusion_tile_width: 768",
            {
                "multidiffusion_enabled": "True",
                "multidiffusion_method": "Mixture of Diffusers",
                "multidiffusion_tile_width": "768",
            },
        ),
        (
            "Euler",
            "dynthres_enabled: True, dynthres_mimic_scale: 7, dynthres_mimic_mode: Linear Down",
            {"dynthres_enabled": "True", "dynthres_mimic_scale": "7", "dynthres_mimic_mode": "Linear Down"},
        ),
    ],
)
def test_what_does_not_fit_is_left_as_it_was(sampler: str, said: str, rest: dict[str, str]) -> None:
    read = from_infotext(LINE.format(sampler, said))
    assert read.rest == rest
    groups = ("noise", "way", "rules", "freeu", "slg", "tiling", "guidance_from")
    assert not [name for name in groups if getattr(read.request, name) != getattr(GenerateRequest(), name)]


def test_a_group_of_another_program_is_not_ours() -> None:
    read = _foreign("JSON", {"prompt": "a", "noise": "0.5", "refiner": "xl", "way": 3}, Dialect("JSON"))
    assert read.request == GenerateRequest(prompt="a", prompt_mode="literal")
    assert read.rest == {"noise": "0.5", "refiner": "xl", "way": "3"}


def test_forge_pictures_are_read() -> None:
    said = "RNG: CPU, ENSD: 31337, freeu_enabled: True, freeu_b1: 1.01, freeu_b2: 1.02, freeu_s1: 0.99, freeu_s2: 0.95"
    read = from_infotext(LINE.format("Euler a", said))
    assert read.request.noise == Noise(delta=31337)
    assert read.request.freeu == FreeU(b1=1.01, b2=1.02, s1=0.99, s2=0.95)
    assert with_groups(ASKED, {"Steps": "3"}) == (ASKED, {"Steps": "3"})


def test_windows_of_forge_are_square_or_told() -> None:
    said = "multidiffusion_enabled: True, multidiffusion_method: MultiDiffusion, multidiffusion_tile_width: 768, {}"
    square = from_infotext(LINE.format("Euler", said.format("multidiffusion_tile_height: 768")))
    assert (square.request.tiling, square.rest) == (Tiling(window=768), {})
    flat = from_infotext(LINE.format("Euler", said.format("multidiffusion_tile_height: 512")))
    assert flat.request.tiling == Tiling(window=768)
    assert flat.rest["multidiffusion_tile_height"] == "512"


@pytest.mark.parametrize("key", ["CFG Rescale", "CFG rescale", "Rescale CFG", "latent_modifier_rescale_cfg_phi"])
def test_every_name_of_the_rescale(key: str) -> None:
    read = from_infotext(LINE.format("Euler", f"{key}: 0.7"))
    assert (read.request.rules, read.rest) == (Rules(rescale=0.7), {})


def test_a_refiner_of_the_web_ui() -> None:
    read = from_infotext(LINE.format("Euler", "Refiner: xl_refiner_1.0 [7440042bbd], Refiner switch at: 0.75"))
    assert read.request.refiner == Refiner(model="xl_refiner_1.0", sha256="7440042bbd", switch_at=0.75)
    named = from_infotext(LINE.format("Euler", "Refiner: xl_refiner"))
    assert named.request.refiner == Refiner(model="xl_refiner")


def test_soft_inpainting_of_the_web_ui_is_soft_and_its_knobs_are_told() -> None:
    knobs = {
        "Soft inpainting schedule bias": "1",
        "Soft inpainting preservation strength": "0.5",
        "Soft inpainting transition contrast boost": "4",
        "Soft inpainting mask influence": "0",
        "Soft inpainting difference threshold": "0.5",
        "Soft inpainting difference contrast": "2",
    }
    said = ", ".join(f"{key}: {value}" for key, value in {"Soft inpainting enabled": "True", **knobs}.items())
    read = from_infotext(LINE.format("Euler a", f"Mask blur: 4, {said}"))
    assert (read.request.inpaint, read.rest) == (Inpaint(blur=4, soft=True), knobs)
    hard = from_infotext(LINE.format("Euler a", "Mask blur: 4, Soft inpainting enabled: False"))
    assert (hard.request.inpaint, hard.rest) == (Inpaint(blur=4), {})
