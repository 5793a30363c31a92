"""Groups of options in the text that other programs read, there and back."""

from dataclasses import replace

import pytest

from inkwash.metadata.asides import asides, groups_of
from inkwash.metadata.foreign import from_infotext
from inkwash.metadata.infotext import parameters
from inkwash.request.generate import GenerateRequest
from inkwash.request.guidance import PAG, FreeU, Rules
from inkwash.request.noise import Noise
from inkwash.request.refiner import Refiner
from inkwash.request.way import Way

ASKED = GenerateRequest(
    prompt="a cat",
    width=128,
    height=64,
    steps=25,
    sampler="euler_ancestral",
    spacing="karras",
    guidance=3.0,
    seed=7,
)
FULL = replace(
    ASKED,
    noise=Noise(rng="philox", delta=31337, resize_from=(512, 768)),
    way=Way(eta=0.5, s_churn=10.0, s_tmin=0.25, s_tmax=5.0, s_noise=1.01, discard=True),
    freeu=FreeU(b1=1.2, b2=1.4, s1=0.9, s2=0.2),
    pag=PAG(scale=3.0),
    rules=Rules(mimic=7.0, percentile=0.99),
)
LINE = "a\nSteps: 20, Sampler: {}, CFG scale: 7, Seed: 1, Size: 64x64, {}"


def test_groups_that_are_off_say_nothing() -> None:
    assert not [key for key, value in asides(ASKED).items() if value is not None]


def test_the_names_of_the_web_ui_and_forge() -> None:
    text = parameters(replace(FULL, refiner=Refiner(model="a/xl.safetensors", sha256="0" * 64)), "pets", "", "1")
    assert (
        "Seed resize from: 512x768, ENSD: 31337, RNG: NV, Refiner: xl [0000000000], Refiner switch at: 0.8, Eta: 0.5, "
        "Sigma churn: 10, Sigma tmin: 0.25, Sigma tmax: 5, Sigma noise: 1.01, Discard penultimate sigma: True, "
        "freeu_enabled: True, freeu_b1: 1.2, freeu_b2: 1.4, freeu_s1: 0.9, freeu_s2: 0.2, "
        "PerturbedAttentionGuidance_enabled: True, PerturbedAttentionGuidance_scale: 3, "
        "dynthres_enabled: True, dynthres_mimic_scale: 7, dynthres_threshold_percentile: 0.99, "
        "dynthres_mimic_mode: Constant, dynthres_cfg_mode: Constant, Version: inkwash 1"
    ) in text


def test_there_and_back() -> None:
    read = from_infotext(parameters(FULL, "pets", "", "1"))
    for group in ("noise", "way", "freeu", "pag", "rules"):
        assert getattr(read.request, group) == getattr(FULL, group), group
    assert read.rest == {"Version": "inkwash 1"}


def test_who_says_something_of_noise_says_whose() -> None:
    """A reader without the key would take that of a GPU."""
    assert asides(replace(ASKED, noise=Noise(delta=1)))["RNG"] == "CPU"
    assert asides(replace(ASKED, noise=Noise(rng="batch")))["RNG"] is None
    assert asides(replace(ASKED, sampler="ddim", way=Way(eta=1.0)))["Eta DDIM"] == "1"


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
    assert (read.request.noise, read.request.way, read.request.rules) == (Noise(), Way(), Rules())


def test_a_group_of_another_program_is_not_ours() -> None:
    from inkwash.metadata.dialects import Dialect
    from inkwash.metadata.foreign import _foreign

    read = _foreign("JSON", {"prompt": "a", "noise": "0.5", "refiner": "xl", "way": 3}, Dialect("JSON"))
    assert read.request == GenerateRequest(prompt="a", prompt_mode="literal")
    assert read.rest == {"noise": "0.5", "refiner": "xl", "way": "3"}


def test_forge_pictures_are_read() -> None:
    said = "RNG: CPU, ENSD: 31337, freeu_enabled: True, freeu_b1: 1.01, freeu_b2: 1.02, freeu_s1: 0.99, freeu_s2: 0.95"
    read = from_infotext(LINE.format("Euler a", said))
    assert read.request.noise == Noise(delta=31337)
    assert read.request.freeu == FreeU(b1=1.01, b2=1.02, s1=0.99, s2=0.95)
    assert groups_of({"Steps": "3"}, None) == ({}, {"Steps": "3"})
