"""Every field of a request goes into the text and comes back, or it is said here why no text can carry it."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from inkwash.metadata.foreign import from_infotext
from inkwash.metadata.infotext import parameters
from inkwash.metadata.infotext_groups import against
from inkwash.metadata.infotext_keys import NOTES
from inkwash.request.fields import value_at
from inkwash.request.generate import GenerateRequest
from inkwash.request.guidance import PAG, SLG, FreeU, Rules
from inkwash.request.hints import Hints
from inkwash.request.hires import Hires
from inkwash.request.inpaint import Inpaint
from inkwash.request.memory import Memory
from inkwash.request.micro import Micro
from inkwash.request.noise import Noise
from inkwash.request.refiner import Refiner
from inkwash.request.templates import Written
from inkwash.request.tiling import Tiling
from inkwash.request.way import Way
from inkwash.reverse.names import LABELS, SPACING_KEYS
from inkwash.weights.manifest import ABOVE_ALL, Defaults

PAGE = Path(__file__).parent.parent.parent / "docs/guides/parameters.md"
FULL = GenerateRequest(
    prompt="a (cat:1.2), in ink",
    negative_prompt="",
    width=128,
    height=64,
    steps=25,
    sampler="euler_ancestral",
    spacing="karras",
    guidance=3.123456789,
    guidance_from=0.25,
    guidance_until=12.5,
    seed=2**60 + 1,
    subseed=9,
    subseed_strength=0.0625,
    image_guidance=1.25,
    silence=True,
    prediction="v_prediction",
    variant="fp16",
    distilled="lightning",
    prompt_mode="a1111",
    weighting="comfy",
    clip_skip=1,
    rules=Rules(rescale=0.7, mimic=7.0, percentile=0.99, projected=True, parallel=0.1, largest=9.0, momentum=-0.2),
    pag=PAG(scale=3.0, layers=("mid", "down_blocks.2"), adaptive=0.001),
    slg=SLG(scale=2.5, layers=(1, 2), start=0.1, stop=0.5),
    freeu=FreeU(b1=1.2, b2=1.4, s1=0.9, s2=0.2, version="1"),
    noise=Noise(rng="batch", delta=31337, resize_from=(512, 768), columns=True, tree=True),
    way=Way(eta=0.5, s_churn=10.0, s_tmin=0.1, s_tmax=5.0, s_noise=1.0123456789, discard=True, plan="diffusers"),
    refiner=Refiner(model="xl_refiner", switch_at=0.7, sha256="0123456789"),
    micro=Micro(original=(512, 640), corner=(8, 16), target=(1024, 960), aesthetic=7.0, aesthetic_away=2.0),
    memory=Memory(tiled=True, in_turn=False),
    inpaint=Inpaint(blur=4, fill="noise", only_masked=True, padding=8, invert=True, soft=True),
    hires=Hires(
        width=128,
        height=96,
        upscaler="Lanczos",
        steps=3,
        strength=0.5,
        sampler="heun",
        spacing="beta",
        guidance=2.0,
        prompt="a, b: c",
        negative_prompt="b",
    ),
    tiling=Tiling(window=64, overlap=16, decode=128),
    hints=Hints(noise_level=3),
    written=Written(prompt="c", negative_prompt="d"),
)
INSTEAD = {
    "tiling.seamless": replace(FULL, tiling=Tiling(seamless="x")),
    "hires.scale": replace(FULL, hires=Hires(scale=1.5)),
}
"""What excludes other fields of its group."""
UNTOLD = {
    "model": "its name is told, and read as `Foreign.model`: a text does not know where files lie",
    "vae": "a file",
    "tokenizer": "a folder",
    "base": "a file",
    "lora": "files; their names and hashes are told",
    "refiner.base": "a file",
    "refiner.tokenizer": "a folder",
    "library": "folders",
    "image": "a picture",
    "mask": "a picture",
    "hints.depth": "a picture",
    "control": "networks and pictures; their settings are told",
    "ip_adapter": "networks and pictures",
    "strength": "told, but a request has none without its picture",
    "outpaint": "told, but a request has none without its picture",
    "count": "a text is of one picture",
    "templates": "a picture's prompt has none any more; `written` keeps them",
}


def places() -> Iterator[str]:
    """Every field, and those of groups one by one."""
    for field in fields(GenerateRequest):
        if is_dataclass(field.default) and field.name not in UNTOLD:
            yield from (f"{field.name}.{inner.name}" for inner in fields(field.default))
        else:
            yield field.name


def there_and_back(request: GenerateRequest) -> GenerateRequest:
    read = from_infotext(parameters(request, "pets", "", "1"))
    assert read.rest == {"Version": "inkwash 1"}
    return read.request


@pytest.mark.parametrize("place", [place for place in places() if place not in UNTOLD])
def test_every_field_comes_back(place: str) -> None:
    request = INSTEAD.get(place, FULL)
    assert value_at(request, place) != value_at(GenerateRequest(), place), "choose a value that says something"
    assert value_at(there_and_back(request), place) == value_at(request, place)


def test_what_no_text_can_carry_is_there() -> None:
    assert set(UNTOLD) <= set(places()), "a field that is no more"


OTHERWISE: dict[str, list[Any]] = {
    "prompt_mode": ["literal"],
    "weighting": ["plain", "compel"],
    "tiling.seamless": ["y", "both"],
    "noise.rng": ["philox"],
    "inpaint.fill": ["blurred", "nothing"],
    "sampler": [*LABELS],
    "spacing": [*SPACING_KEYS],
    "clip_skip": [2],
}


@pytest.mark.parametrize(("place", "value"), [(place, value) for place, all_ in OTHERWISE.items() for value in all_])
def test_and_so_do_its_other_values(place: str, value: Any) -> None:
    group, dot, name = place.partition(".")
    asked = replace(FULL, way=Way(), tiling=Tiling())
    change = {group: replace(getattr(asked, group), **{name: value})} if dot else {place: value}
    assert value_at(there_and_back(replace(asked, **change)), place) == value


def test_what_a_model_would_do_by_itself_is_told_where_it_is_off() -> None:
    off = replace(FULL, silence=False, guidance_from=0.0, guidance_until=ABOVE_ALL)
    own = Defaults(32, 32, 3, "euler", "karras", 2.0, guidance_from=0.5, guidance_until=9.0, silence=True)
    found = from_infotext(parameters(off, "pets", "", "1", against(off, own))).request
    assert (found.silence, found.guidance_from, found.guidance_until) == (False, 0.0, ABOVE_ALL)
    assert against(off, Defaults(32, 32, 3, "euler", "karras", 2.0)) == {}
    assert against(FULL, own) == {}


def test_a_second_pass_of_one_side_has_one_side() -> None:
    asked = replace(FULL, hires=Hires(height=96, steps=3, strength=0.5))
    assert there_and_back(asked).hires == asked.hires


def test_a_picture_of_part_of_the_way_and_its_border_are_told() -> None:
    from inkwash.request.inpaint import Outpaint

    asked = replace(FULL, hires=Hires(), image=Path("a.png"), strength=0.25, outpaint=Outpaint(left=8, down=16))
    rest = from_infotext(parameters(asked, "pets", "", "1")).rest
    assert rest == {
        "Version": "inkwash 1",
        "Denoising strength": "0.25",
        "Outpaint left": "8",
        "Outpaint down": "16",
    }


def test_a_request_that_says_nothing_adds_nothing() -> None:
    line = parameters(GenerateRequest(steps=3), "pets", "", "1").splitlines()[-1]
    said = {note.key for note in NOTES if f"{note.key}: " in line}
    assert not said


@pytest.mark.parametrize("key", dict.fromkeys(name for note in NOTES for name in (note.key, *note.others)))
def test_every_key_is_on_the_page(key: str) -> None:
    assert f"`{key}`" in PAGE.read_text(encoding="utf-8")
