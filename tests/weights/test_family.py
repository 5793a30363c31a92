"""Every released family, from names and shapes: reading any tensor fails these tests."""

import pytest

from inkwash.weights.containers.source import Source
from inkwash.weights.families import FAMILIES, MMDITS, UNETS
from inkwash.weights.family import identified
from inkwash.weights.names.recipe import recast
from inkwash.weights.names.unet import to_ldm
from inkwash.weights.single import base_of, together
from tools.topology import SD, XL, Net, Slots, clip, control_lora, mmdit, named, t5, under, unets, union, vae

NETS = unets()
MEDIUM, LARGE = mmdit(24, 192), mmdit(38, 192, normed=True)
EXPECTED = {
    "sd1": ("sd1", "paint"), "sd1-inpaint": ("sd1", "inpaint"), "sd1-edit": ("sd1", "edit"),
    "sd1-lcm": ("sd1", "paint"),
    "sd2": ("sd2", "paint"), "sd2-depth": ("sd2", "depth"), "sd2-unclip-h": ("sd2-unclip-h", "paint"),
    "x4-upscaler": ("x4-upscaler", "upscale"), "sdxl": ("sdxl", "paint"), "sdxl-inpaint": ("sdxl", "inpaint"),
    "sdxl-refiner": ("sdxl-refiner", "paint"), "ssd-1b": ("ssd-1b", "paint"), "vega": ("vega", "paint"),
    "koala-700m": ("koala-700m", "paint"), "koala-1b": ("koala-1b", "paint"), "bk-sdm-base": ("bk-sdm-base", "paint"),
    "bk-sdm-small": ("bk-sdm-small", "paint"), "bk-sdm-tiny": ("bk-sdm-tiny", "paint"),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
def test_networks_in_both_namings(name: str) -> None:
    folder = named(NETS[name])
    parts = {"unet": folder}
    single = together(parts, base_of(parts))
    for source, layout in ((folder, "diffusers"), (single, "ldm"), (single.under("model.diffusion_model."), "ldm")):
        found = identified(source)
        assert (found.kind, found.family, found.task, found.layout) == ("network", *EXPECTED[name], layout)
        assert (found.details == {"lcm": "yes"}) == (name == "sd1-lcm")
    assert "an autoencoder" in found.needs()


def test_every_row_of_the_tables_is_a_family() -> None:
    assert {*UNETS.values(), *MMDITS.values()} <= FAMILIES.keys()


@pytest.mark.parametrize(
    ("slots", "family"),
    [
        (MEDIUM, "sd3-medium"),
        (mmdit(24, 384, normed=True, dual=13), "sd3.5-medium"),
        (LARGE, "sd3.5-large"),
        (mmdit(12, 192), "sd3-cousin"),
    ],
)
def test_transformers_in_both_namings(slots: Slots, family: str) -> None:
    folder = named(slots)
    for source, layout in ((folder, "diffusers"), (together({"transformer": folder}, "sd3"), "ldm")):
        found = identified(source)
        assert (found.kind, found.family, found.layout) == ("network", family, layout)


@pytest.mark.parametrize(
    ("net", "words", "family"),
    [
        ("sd1", {"text_encoder": clip(768, 12)}, "sd1"),
        ("sd2", {"text_encoder": clip(1024, 24, 1024)}, "sd2"),
        ("sdxl", {"text_encoder": clip(768, 12), "text_encoder_2": clip(1280, 32, 1280)}, "sdxl"),
        ("sdxl-refiner", {"text_encoder_2": clip(1280, 32, 1280)}, "sdxl-refiner"),
    ],
)
def test_whole_checkpoints_as_a_file_and_as_a_folder(net: str, words: dict[str, Slots], family: str) -> None:
    parts = {"unet": NETS[net], "vae": vae(), **words}
    sources = {name: named(slots) for name, slots in parts.items()}
    single = together(sources, base_of(sources))
    counts = {"sd1": 1130, "sd2": 686 + 248 + 293, "sdxl": 2513, "sdxl-refiner": 1220 + 248 + 389}
    assert len(single) == counts[net]  # with position_ids and logit_scale as the released files have them
    folder = named({f"{name}/{each}": shape for name, slots in parts.items() for each, shape in slots.items()})
    for source, layout in ((single, "ldm"), (folder, "diffusers")):
        found = identified(source)
        assert (found.kind, found.family, found.layout) == ("checkpoint", family, layout)
        assert set(found.parts) == set(parts)
        assert found.needs() == ()


def test_sd3_with_all_three_encoders() -> None:
    words = {"text_encoder": clip(768, 12, 768), "text_encoder_2": clip(1280, 32, 1280), "text_encoder_3": t5()}
    parts = {name: named(slots) for name, slots in {"transformer": MEDIUM, "vae": vae(latents=16), **words}.items()}
    found = identified(together(parts, base_of(parts)))
    assert (found.kind, found.family, set(found.parts)) == ("checkpoint", "sd3-medium", set(parts))


def test_unheard_of_depths_are_cousins() -> None:
    depths = ((0, 0, 3, 3, 7, 7), 7, (7, 7, 7, 3, 3, 3, 0, 0, 0))
    assert identified(named(Net((320, 640, 1280), depths, 2048, added=2816).slots())).family == "sdxl-cousin"


@pytest.mark.parametrize(
    ("slots", "details"),
    [
        (vae(), "4 (Stable Diffusion 1, 2 or XL: the file cannot tell)"),
        (vae(latents=16, quant=False), "16 (Stable Diffusion 3)"),
    ],
)
def test_autoencoders(slots: Slots, details: str) -> None:
    single = together({"vae": named(slots)}, "sd1")
    bare = single.under("first_stage_model.")
    for source, layout in ((named(slots), "diffusers"), (single, "ldm"), (bare, "ldm")):
        found = identified(source)
        assert (found.kind, found.layout, found.details) == ("vae", layout, {"latent channels": details})


@pytest.mark.parametrize(
    ("slots", "channels"),
    [
        ({"encoder.layers.0.weight": (64, 3, 3, 3), "decoder.layers.0.weight": (64, 4, 3, 3)}, "4"),
        ({"1.weight": (64, 16, 3, 3), "3.conv.0.weight": (64, 64, 3, 3), "19.bias": (3,)}, "16"),
        ({"encoder.0.weight": (64, 3, 3, 3), "decoder.1.weight": (64, 4, 3, 3)}, "4"),
        ({"0.weight": (64, 3, 3, 3), "1.conv.0.weight": (64, 64, 3, 3), "14.weight": (4, 64, 3, 3)}, "4"),
    ],
)
def test_tiny_autoencoders(slots: Slots, channels: str) -> None:
    found = identified(named(slots))
    assert (found.kind, found.details) == ("taesd", {"latent channels": channels})


@pytest.mark.parametrize(
    ("net", "family"),
    [
        (Net((320, 640, 1280, 1280), SD, 768, False, up=False), "sd1"),
        (Net((320, 640, 1280, 1280), SD, 1024, up=False), "sd2"),
        (Net((320, 640, 1280), XL, 2048, added=2816, up=False), "sdxl"),
    ],
)
def test_controlnets(net: Net, family: str) -> None:
    folder = named(net.slots())
    old = recast(folder, to_ldm(list(folder.slots)))
    old = old.renamed({f"control_model.{name}": name for name in old.slots})
    for source, layout in ((folder, "diffusers"), (old, "ldm")):
        found = identified(source)
        assert (found.kind, found.family, found.layout) == ("controlnet", family, layout)
    assert found.needs() == ("a model to work on",)


def test_controlnets_of_many_kinds_tell_which_they_take() -> None:
    net = Net((320, 640, 1280), XL, 2048, added=2816, up=False)
    for kinds, last in ((6, "5 segment/segmentation"), (8, "7 repaint/inpaint/outpaint")):
        found = identified(named(net.slots() | union(320, kinds)))
        assert (found.kind, found.family) == ("controlnet union", "sdxl")
        assert (found.details or {})["takes"].endswith(last)


def test_control_loras_tell_their_rank() -> None:
    folder = named(control_lora(Net((320, 640, 1280), XL, 2048, added=2816, up=False), 128))
    found = identified(recast(folder, to_ldm(list(folder.slots))))
    assert (found.kind, found.family, found.details) == ("control-lora", "sdxl", {"rank": "128"})


@pytest.mark.parametrize(
    ("slots", "kind", "family"),
    [
        ({"lora_controlnet": (0,), "input_blocks.1.1.transformer_blocks.0.attn2.to_k.down": (128, 768)},
         "control-lora", "sd1"),
        ({"pos_embed_input.proj.weight": (2432, 16, 2, 2), "transformer_blocks.0.attn.to_q.weight": (2, 2)},
         "controlnet", "sd3.5-large"),
        (under("adapter.", {"conv_in.weight": (320, 192, 3, 3), "body.0.resnets.0.block1.weight": (320, 320, 3, 3)}),
         "t2i-adapter", "sd1"),
        ({"conv_in.weight": (320, 768, 3, 3), "body.0.block1.weight": (320, 320, 3, 3)}, "t2i-adapter", "sdxl"),
        ({"body.0.in_conv.weight": (80, 192, 1, 1)}, "t2i-adapter light", "sd1"),
        ({"image_proj.proj.weight": (3072, 9), "ip_adapter.1.to_k_ip.weight": (320, 768)}, "ip-adapter plain", "sd1"),
        ({"image_proj.latents": (1, 16, 768), "ip_adapter.1.to_k_ip.weight": (320, 768)}, "ip-adapter plus", "sd1"),
        ({"image_proj.proj.3.weight": (768,), "ip_adapter.1.to_k_ip.weight": (320, 768)}, "ip-adapter full", "sd1"),
        ({"image_proj.proj.0.weight": (1024, 512), "ip_adapter.1.to_k_ip.weight": (640, 2048)},
         "ip-adapter faceid", "sdxl"),
        ({"image_proj.perceiver_resampler.latents": (1,), "ip_adapter.1.to_k_ip.weight": (320, 768)},
         "ip-adapter faceid-plus", "sd1"),
        ({"<cat>": (768,)}, "textual inversion", "sd1"),
        ({"emb_params": (4, 1024)}, "textual inversion", "sd2"),
        ({"clip_l": (8, 768), "clip_g": (8, 1280)}, "textual inversion", "sdxl"),
        ({"string_to_param.*": (2, 768)}, "textual inversion", "sd1"),
        ({"anything": (3, 3)}, "unknown", ""),
        ({}, "unknown", ""),
    ],
)  # fmt: skip
def test_what_is_added_to_a_model(slots: Slots, kind: str, family: str) -> None:
    found = identified(named(slots))
    assert (found.kind, found.family) == (kind, family)


def vision(width: int) -> Slots:
    ends = ("vision_model.pre_layrnorm.weight", "vision_model.post_layernorm.weight")
    return {"vision_model.embeddings.class_embedding": (width,)} | dict.fromkeys(ends, (width,))


def llama() -> Slots:
    return {"enc.blk.0.attn_q.weight": (4096, 4096), "token_embd.weight": (32128, 4096)}


@pytest.mark.parametrize(
    ("source", "kind", "encoder"),
    [
        (named(clip(768, 1)), "text encoder", "CLIP-L"),
        (named({n.removeprefix("text_model."): s for n, s in clip(1280, 1).items()}), "text encoder", "OpenCLIP-bigG"),
        (named({"token_embedding.weight": (49408, 1024)}), "text encoder", "OpenCLIP-H"),
        (named(t5(layers=1)), "text encoder", "T5-XXL"),
        (named(llama()), "text encoder", "T5-XXL"),
        (named(vision(1280)), "vision encoder", "CLIP ViT-H"),
        (named(vision(1664)), "vision encoder", "CLIP ViT-bigG"),
    ],
)
def test_encoders(source: Source, kind: str, encoder: str) -> None:
    found = identified(source)
    assert (found.kind, found.details) == (kind, {"encoder": encoder})
