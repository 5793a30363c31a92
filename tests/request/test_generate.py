import math
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkwash.errors import InvalidRequest
from inkwash.request.control import Control
from inkwash.request.generate import GenerateRequest
from inkwash.request.guidance import PAG, SLG, FreeU, Rules
from inkwash.request.hints import Hints
from inkwash.request.hires import Hires
from inkwash.request.inpaint import Inpaint, Outpaint
from inkwash.request.jsons import from_json, to_json
from inkwash.request.library import Library
from inkwash.request.limits import REAL, WHOLE, checked, flag
from inkwash.request.memory import Memory
from inkwash.request.micro import Micro
from inkwash.request.noise import Noise
from inkwash.request.picture_prompt import PicturePrompt
from inkwash.request.refiner import Refiner
from inkwash.request.templates import Templates, Written
from inkwash.request.tiling import Tiling
from inkwash.request.way import Way
from inkwash.reverse.registry import SAMPLERS
from inkwash.reverse.spacing import SPACINGS

FULL = GenerateRequest(
    prompt="a photo of a cat\n画一只猫 🐈",
    negative_prompt="blur",
    model="folder/model",
    width=64,
    height=96,
    steps=7,
    sampler="heun",
    spacing="karras",
    guidance=3.5,
    guidance_from=0.1,
    guidance_until=10.0,
    seed=2**63 - 5,
    count=2,
    subseed=3,
    subseed_strength=0.25,
    image=Path("a/photo.png"),
    strength=0.5,
    mask=Path("a/mask.png"),
    silence=False,
    prediction="v_prediction",
    variant="fp16",
    vae=Path("a/vae.safetensors"),
    tokenizer=Path("a/tokenizer"),
    base=Path("a/base"),
    lora=("a/cats.safetensors:0.5", "dogs.safetensors"),
    distilled="lightning",
    prompt_mode="a1111",
    weighting="comfy",
    clip_skip=2,
    image_guidance=1.25,
    rules=Rules(rescale=0.7, mimic=7.0, percentile=0.99, projected=True, parallel=0.1, largest=9.0, momentum=-0.2),
    pag=PAG(scale=3.0, layers=("mid", "down_blocks.2"), adaptive=0.001),
    slg=SLG(scale=2.5, layers=(1, 2), start=0.1, stop=0.5),
    freeu=FreeU(b1=1.2, b2=1.4, s1=0.9, s2=0.2, version="1"),
    noise=Noise(rng="philox", delta=31337, resize_from=(512, 768), columns=True, tree=True),
    way=Way(eta=0.5, s_churn=10.0, s_tmin=0.1, s_tmax=5.0, s_noise=1.01, discard=True, plan="diffusers"),
    refiner=Refiner(model="a/refiner", switch_at=0.7, base=Path("a"), tokenizer=Path("a/tokenizer"), sha256="12"),
    micro=Micro(original=(512, 640), corner=(8, 16), target=(1024, 960), aesthetic=7.0, aesthetic_away=2.0),
    memory=Memory(tiled=True, in_turn=False),
    inpaint=Inpaint(blur=4, fill="noise", only_masked=True, padding=8, invert=True, soft=True),
    outpaint=Outpaint(left=1, right=2, up=3, down=4),
    hires=Hires(width=128, height=96, upscaler="Lanczos", steps=3, strength=0.5, prompt="a", negative_prompt="b"),
    tiling=Tiling(window=64, overlap=16, decode=128),
    hints=Hints(depth=Path("a/depth.png"), noise_level=3),
    templates=Templates(wildcards=Path("w"), choices=True, styles=Path("s.csv"), style=("ink",), matrix=True),
    written=Written(prompt="c", negative_prompt="d"),
    control=(
        Control(model=Path("a/canny.safetensors"), image=Path("a/house.png"), preprocessor="canny", threshold_a=50.0),
        Control(model=Path("a/depth"), image=Path("a/map.png"), weight=0.5, begin=0.25, end=0.75, mode="prompt"),
    ),
    ip_adapter=(PicturePrompt(model=Path("a/look.safetensors"), images=(Path("a/b.png"), Path("c.png")), weight=0.5),),
    library=Library(lora_dir=Path("a/loras"), embeddings=Path("a/words")),
)


def test_a_request_survives_json() -> None:
    assert from_json(to_json(FULL)) == FULL
    assert from_json(to_json(GenerateRequest())) == GenerateRequest()
    assert from_json(b'{"prompt": "a cat"}') == GenerateRequest(prompt="a cat")


def test_groups_that_are_off_leave_no_trace() -> None:
    plain = to_json(GenerateRequest(prompt="a cat"))
    assert not [name for name in ("control", "ip_adapter", "library", "distilled") if name in plain]


@pytest.mark.parametrize("value", [("x",), Library()])
def test_controls_are_a_list_of_objects(value: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"control is .*, but must be a list of objects"):
        checked("control", value)


def test_groups_are_objects() -> None:
    with pytest.raises(InvalidRequest, match=r"library is 'x', but must be an object"):
        from_json('{"library": "x"}')


def test_the_full_request_leaves_no_field_at_its_default() -> None:
    assert not [field.name for field in fields(FULL) if getattr(FULL, field.name) == field.default]


@settings(max_examples=20, deadline=None)
@given(
    prompt=st.text(max_size=40),
    seed=st.none() | st.integers(-1, 2**53),
    guidance=st.none() | st.floats(0, 100),
    count=st.integers(1, 10_000),
    sampler=st.none() | st.sampled_from(sorted(SAMPLERS)),
    spacing=st.none() | st.sampled_from(sorted(SPACINGS)),
)
def test_any_request_survives_json(**given: Any) -> None:
    request = GenerateRequest(**given)
    assert from_json(to_json(request)) == request


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "request is '{', but must be JSON"),
        ("[" * 100_000, "must be JSON"),
        ("[]", "GenerateRequest is \\[\\], but must be an object"),
        ('{"promt": "a cat"}', "promt is 'a cat', but must be left out: there is no such field, did you mean prompt?"),
        ('{"width": "64"}', "width is '64', but must be a whole number"),
        ('{"width": 64.0}', "width is 64.0, but must be a whole number"),
        ('{"width": true}', "width is True, but must be a whole number"),
        ('{"guidance": NaN}', "guidance is nan, but must be a finite number"),
        ('{"guidance": 1e999}', "guidance is inf, but must be a finite number"),
        ('{"count": null}', "count is None, but must be a whole number"),
        ('{"noise": "philox"}', "noise is 'philox', but must be an object"),
        ('{"prompt": null}', "prompt is None, but must be a text"),
    ],
)
def test_bad_json_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        from_json(text)


@pytest.mark.parametrize(
    ("field", "value", "wanted"),
    [
        ("width", 7, "a whole number from 8 to 4096"),
        ("height", 5000, "a whole number from 8 to 4096"),
        ("steps", 0, "a whole number from 1 to 1000"),
        ("count", 0, "a whole number from 1 to 10000"),
        ("seed", -2, "a whole number from -1"),
        ("seed", 2**63, "a whole number from -1"),
        ("guidance", math.nan, "a number from 0 to 100"),
        ("guidance", math.inf, "a number from 0 to 100"),
        ("guidance", -1.0, "a number from 0 to 100"),
        ("subseed_strength", 1.5, "a number from 0 to 1"),
        ("strength", 2.0, "a number from 0 to 1"),
        ("strength", 0.5, "given together with an image"),
        ("mask", Path("m.png"), "given together with an image"),
        ("prompt", "x" * 10_001, "a text of at most 10000 characters"),
        ("prompt", "\ud800", "valid Unicode"),
        ("clip_skip", 0, "a whole number from 1 to 64"),
        ("prompt", "<hypernet:ink:1>", "free of hypernetworks"),
        ("negative_prompt", "a AND b", "one prompt without adapters"),
        ("sampler", "eular", "one of euler, euler_ancestral, heun"),
        ("spacing", "straight", "one of karras, exponential"),
    ],
)
def test_refusals_name_field_value_and_what_is_wanted(field: str, value: Any, wanted: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        GenerateRequest(**{field: value})
    assert raised.value.field == field
    assert raised.value.wanted.startswith(wanted)


@pytest.mark.parametrize(
    ("field", "value", "wanted"),
    [
        ("width", "64", "a whole number"),
        ("steps", True, "a whole number"),
        ("seed", 1.0, "a whole number"),
        ("guidance", "7", "a number from 0 to 100"),
        ("guidance", True, "a number from 0 to 100"),
        ("image", "photo.png", "a path"),
        ("prompt_mode", "b2222", "one of native, a1111, literal"),
        ("weighting", "heavy", "one of a1111, comfy, plain, compel"),
        ("prompt", b"cat", "a text"),
    ],
)
def test_wrong_types_are_refused(field: str, value: object, wanted: str) -> None:
    with pytest.raises(InvalidRequest, match=wanted):
        checked(field, value)


def test_strength_zero_would_paint_nothing() -> None:
    with pytest.raises(InvalidRequest, match=r"strength is 0\.0, but must be above 0"):
        GenerateRequest(image=Path("a.png"), strength=0.0)


def test_the_last_seed_of_a_batch_must_exist_too() -> None:
    with pytest.raises(InvalidRequest, match="small enough to count 6"):
        replace(FULL, seed=2**63 - 5, count=6)


def test_limits_belong_to_fields() -> None:
    assert {*WHOLE, *REAL} <= {field.name for field in fields(GenerateRequest)}


def test_picture_k_takes_seed_plus_k() -> None:
    request = GenerateRequest(prompt="a cat", seed=5, count=3)
    assert list(request.singles()) == [GenerateRequest(prompt="a cat", seed=seed) for seed in (5, 6, 7)]


def test_variation_k_takes_subseed_plus_k_and_the_same_seed() -> None:
    request = GenerateRequest(seed=5, subseed=8, subseed_strength=0.5, count=2)
    assert [(single.seed, single.subseed) for single in request.singles()] == [(5, 8), (5, 9)]


@pytest.mark.parametrize("value", [1, "true", None])
def test_switches_are_true_or_false(value: object) -> None:
    flag("noise.tree", True)
    with pytest.raises(InvalidRequest, match=r"noise\.tree is .*, but must be true or false"):
        flag("noise.tree", value)
