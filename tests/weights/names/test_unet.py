import pytest

from inkwash.weights.names.recipe import recast
from inkwash.weights.names.unet import to_diffusers, to_ldm
from tools.topology import SD, XL, Net, crc, differing, filled, named, unets

RELEASED = {
    "sd1": (686, 1237089903), "sd1-inpaint": (686, 1044071898), "sd1-edit": (686, 888502979),
    "sd1-lcm": (687, 1415937671), "sd2": (686, 3251707876), "sd2-depth": (686, 3206755956),
    "sd2-unclip-h": (690, 1131164226), "x4-upscaler": (687, 3190982659), "sdxl": (1680, 2029812119),
    "sdxl-inpaint": (1680, 197367099), "sdxl-refiner": (1220, 880207471), "ssd-1b": (944, 1197675915),
    "vega": (564, 75800959), "koala-700m": (584, 2280713055), "koala-1b": (790, 4080890485),
    "bk-sdm-base": (442, 2387464660), "bk-sdm-small": (396, 3163570300), "bk-sdm-tiny": (358, 1053386820),
}  # fmt: skip
"""Tensors of every network, and the checksum of their names and shapes as diffusers 0.42.1 builds them."""
NETS = unets()


@pytest.mark.parametrize("name", RELEASED)
def test_the_names_here_are_those_of_the_released_folders(name: str) -> None:
    assert (len(NETS[name]), crc(NETS[name])) == RELEASED[name]


@pytest.mark.parametrize("name", RELEASED)
def test_there_and_back_every_tensor_has_its_own_name(name: str) -> None:
    single = to_ldm(list(NETS[name]))
    assert len(single) == len(NETS[name])
    assert not [each for each in single if each.startswith(("down_blocks", "up_blocks", "mid_block", "conv_"))]
    back = to_diffusers(list(single))
    assert [new for new, recipe in back.items() if single[recipe.olds[0]].olds != (new,)] == []
    assert {recipe.act for recipe in (*single.values(), *back.values())} == {"same"}


def test_tensors_go_with_their_names() -> None:
    folder = filled(unets(32, 16)["bk-sdm-tiny"])
    single = recast(folder, to_ldm(list(folder.slots)))
    assert list(differing(recast(single, to_diffusers(list(single.slots))), folder)) == []


@pytest.mark.parametrize(
    ("network", "ldm", "diffusers"),
    [
        ("sd1", "time_embed.2.bias", "time_embedding.linear_2.bias"),
        ("sd1", "input_blocks.0.0.weight", "conv_in.weight"),
        ("sd1", "input_blocks.1.0.in_layers.0.weight", "down_blocks.0.resnets.0.norm1.weight"),
        ("sd1", "input_blocks.4.0.skip_connection.bias", "down_blocks.1.resnets.0.conv_shortcut.bias"),
        ("sd1", "input_blocks.3.0.op.weight", "down_blocks.0.downsamplers.0.conv.weight"),
        ("sd1", "input_blocks.11.0.emb_layers.1.weight", "down_blocks.3.resnets.1.time_emb_proj.weight"),
        ("sd1", "middle_block.1.proj_in.weight", "mid_block.attentions.0.proj_in.weight"),
        ("sd1", "middle_block.2.out_layers.3.weight", "mid_block.resnets.1.conv2.weight"),
        ("sd1", "output_blocks.2.1.conv.weight", "up_blocks.0.upsamplers.0.conv.weight"),
        ("sd1", "output_blocks.5.2.conv.bias", "up_blocks.1.upsamplers.0.conv.bias"),
        ("sd1", "output_blocks.3.1.transformer_blocks.0.attn2.to_k.weight",
         "up_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.weight"),
        ("sd1", "out.0.weight", "conv_norm_out.weight"),
        ("sd1-lcm", "time_embed.cond_proj.weight", "time_embedding.cond_proj.weight"),
        ("sd2-unclip-h", "label_emb.0.2.weight", "class_embedding.linear_2.weight"),
        ("x4-upscaler", "label_emb.weight", "class_embedding.weight"),
        ("sdxl", "label_emb.0.0.weight", "add_embedding.linear_1.weight"),
        ("sdxl", "input_blocks.8.1.transformer_blocks.9.ff.net.2.bias",
         "down_blocks.2.attentions.1.transformer_blocks.9.ff.net.2.bias"),
        ("sdxl", "output_blocks.2.2.conv.weight", "up_blocks.0.upsamplers.0.conv.weight"),
        ("koala-700m", "input_blocks.2.0.op.bias", "down_blocks.0.downsamplers.0.conv.bias"),
        ("koala-700m", "output_blocks.1.2.conv.weight", "up_blocks.0.upsamplers.0.conv.weight"),
    ],
)  # fmt: skip
def test_names_of_the_original_code(network: str, ldm: str, diffusers: str) -> None:
    recipes = to_ldm(list(NETS[network]))
    assert recipes[ldm].olds == (diffusers,)
    assert to_diffusers(list(recipes))[diffusers].olds == (ldm,)


@pytest.mark.parametrize(
    ("slots", "count", "checksum"),
    [
        (Net((320, 640, 1280, 1280), SD, 768, False, up=False).slots(), 340, 2403574708),
        (Net((320, 640, 1280, 1280), SD, 1024, up=False).slots(), 340, 2816321332),
        (Net((320, 640, 1280), XL, 2048, added=2816, up=False).slots(), 844, 2389267217),
    ],
)
def test_controlnets(slots: dict[str, tuple[int, ...]], count: int, checksum: int) -> None:
    assert (len(slots), crc(slots)) == (count, checksum)
    single = recast(named(slots), to_ldm(list(slots)))
    known = ("time_embed", "label_emb", "input_blocks", "middle_block", "input_hint_block", "zero_convs")
    assert [name for name in single.slots if not name.startswith(known)] == []
    assert recast(single, to_diffusers(list(single.slots))).slots == named(slots).slots
    assert "input_hint_block.12.weight" in single.slots
    assert "middle_block_out.0.bias" in single.slots


def test_unknown_names_stay() -> None:
    assert to_diffusers(["input_blocks.0.0.weight", "something.else"])["something.else"].olds == ("something.else",)
    assert to_ldm(["something.else"])["something.else"].olds == ("something.else",)
