import pytest

from inkwash.errors import WeightsError
from inkwash.weights.containers.source import Source, in_memory
from inkwash.weights.single import apart, base_of, empty_marker, together
from tools.topology import Slots, clip, differing, filled, mmdit, named, unets, vae

SMALL = unets(32, 64)
WORDS = {"text_encoder": clip(64, 2, vocabulary=100)}
TWO = {**WORDS, "text_encoder_2": clip(80, 3, 80, vocabulary=100)}
MODELS: dict[str, tuple[str, dict[str, Slots]]] = {
    "sd1": ("sd1", {"unet": SMALL["bk-sdm-tiny"], "vae": vae((16, 32)), **WORDS}),
    "sd2": ("sd2", {"unet": SMALL["bk-sdm-small"], "vae": vae((16, 32)), "text_encoder": clip(64, 2, 64, 100)}),
    "sdxl": ("sdxl", {"unet": SMALL["koala-700m"], "vae": vae((16, 32)), **TWO}),
    "refiner": ("refiner", {"unet": SMALL["vega"], "text_encoder_2": TWO["text_encoder_2"]}),
    "sd3": (
        "sd3",
        {"transformer": mmdit(4, 8, head=16, words=32), "vae": vae((16, 32), 16, quant=False), **TWO},
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_folder_becomes_a_file_and_a_folder_again(name: str) -> None:
    base, slots = MODELS[name]
    parts = {part: filled(each, seed) for seed, (part, each) in enumerate(slots.items())}
    single = together(parts, base)  # type: ignore[arg-type]
    found = apart(single)
    assert found.parts.keys() == parts.keys()
    assert (found.markers, found.needless, found.unknown) == ((), (), ())
    assert [each for part in parts for each in differing(found.parts[part], parts[part])] == []
    again = together(found.parts, base)  # type: ignore[arg-type]
    assert list(differing(again, single)) == []


def folder() -> Source:
    parts = MODELS["sdxl"][1]
    return named({f"{part}/{name}": shape for part, slots in parts.items() for name, shape in slots.items()})


def test_parts_of_a_folder() -> None:
    assert {name: part.slots for name, part in apart(folder()).parts.items()} == {
        name: named(slots).slots for name, slots in MODELS["sdxl"][1].items()
    }


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("sd1", "cond_stage_model.transformer.text_model."),
        ("sd2", "cond_stage_model.model.transformer.resblocks."),
        ("sdxl", "conditioner.embedders.0.transformer.text_model."),
        ("sdxl", "conditioner.embedders.1.model.transformer.resblocks."),
        ("refiner", "conditioner.embedders.0.model.transformer.resblocks."),
        ("sd3", "text_encoders.clip_g.transformer.text_model."),
        ("sd3", "model.diffusion_model.joint_blocks."),
        ("sd1", "model.diffusion_model.input_blocks."),
        ("sd1", "first_stage_model.decoder.up."),
    ],
)
def test_prefixes_of_single_files(name: str, prefix: str) -> None:
    base, slots = MODELS[name]
    single = together({part: named(each) for part, each in slots.items()}, base)  # type: ignore[arg-type]
    assert any(each.startswith(prefix) for each in single.slots)


def test_what_else_lies_in_a_file() -> None:
    single = together({part: named(each) for part, each in MODELS["sd1"][1].items()}, "sd1")
    extra = {"betas": (1000,), "model_ema.decay": (), "v_pred": (0,), "strange": (3,), "alphas_cumprod_prev": (1000,)}
    found = apart(named({name: slot.shape for name, slot in single.slots.items()} | extra))
    assert found.markers == ("v_pred",)
    assert set(found.needless) == {"betas", "model_ema.decay", "alphas_cumprod_prev"}
    assert found.unknown == ("strange",)


def test_bare_networks_and_names_of_an_older_age() -> None:
    single = together({"unet": named(SMALL["bk-sdm-tiny"])}, "sd1")
    bare = single.under("model.diffusion_model.")
    assert apart(bare).parts["unet"].slots == named(SMALL["bk-sdm-tiny"]).slots
    assert apart(bare).unknown == ()
    old = {f"cond_stage_model.transformer.{name.removeprefix('text_model.')}": shape for name, shape in
           WORDS["text_encoder"].items()}  # fmt: skip
    assert apart(named(old)).parts["text_encoder"].slots == named(WORDS["text_encoder"]).slots


def test_layouts_by_the_width_of_words() -> None:
    real = unets()
    for name, base in (("sd1", "sd1"), ("sd2-depth", "sd2"), ("vega", "sdxl"), ("sdxl-refiner", "refiner")):
        assert base_of({"unet": named(real[name])}) == base
    with pytest.raises(WeightsError, match="looks at words 12 wide is of no known family"):
        base_of({"unet": named(SMALL["sd1"])})


def test_a_part_without_a_place_is_refused() -> None:
    with pytest.raises(WeightsError, match="sd1 has no place for 'safety_checker'"):
        together({"safety_checker": in_memory({})}, "sd1")


def test_markers_are_empty() -> None:
    assert empty_marker("v_pred")["v_pred"].numel() == 0
