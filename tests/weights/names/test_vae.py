import pytest

from inkwash.weights.names.recipe import recast
from inkwash.weights.names.vae import modernised, to_diffusers, to_ldm
from tools.topology import crc, differing, filled, vae

NARROW = {"sd": vae((16, 32, 64, 64)), "upscaler": vae((16, 32, 64)), "sd3": vae((16, 32, 64, 64), 16, quant=False)}


@pytest.mark.parametrize(
    ("slots", "count", "checksum"),
    [(vae(), 248, 1590533769), (vae(latents=16, quant=False), 244, 490309189)],
)
def test_the_names_here_are_those_of_the_released_folders(
    slots: dict[str, tuple[int, ...]], count: int, checksum: int
) -> None:
    assert (len(slots), crc(slots)) == (count, checksum)


@pytest.mark.parametrize("name", NARROW)
def test_there_and_back_is_the_same(name: str) -> None:
    folder = filled(NARROW[name])
    single = recast(folder, to_ldm(list(folder.slots)))
    assert single.shape("decoder.mid.attn_1.q.weight") == (64, 64, 1, 1)
    assert single.shape("decoder.mid.attn_1.norm.weight") == (64,)
    assert not [each for each in single.slots if "_blocks" in each or "mid_block" in each]
    assert list(differing(recast(single, to_diffusers(list(single.slots))), folder)) == []


@pytest.mark.parametrize(
    ("ldm", "diffusers"),
    [
        ("encoder.down.1.block.0.nin_shortcut.weight", "encoder.down_blocks.1.resnets.0.conv_shortcut.weight"),
        ("encoder.down.2.downsample.conv.bias", "encoder.down_blocks.2.downsamplers.0.conv.bias"),
        ("decoder.up.3.block.2.norm1.weight", "decoder.up_blocks.0.resnets.2.norm1.weight"),
        ("decoder.up.1.upsample.conv.weight", "decoder.up_blocks.2.upsamplers.0.conv.weight"),
        ("decoder.mid.block_2.conv1.weight", "decoder.mid_block.resnets.1.conv1.weight"),
        ("encoder.mid.attn_1.proj_out.bias", "encoder.mid_block.attentions.0.to_out.0.bias"),
        ("encoder.norm_out.weight", "encoder.conv_norm_out.weight"),
        ("quant_conv.weight", "quant_conv.weight"),
        ("decoder.conv_in.bias", "decoder.conv_in.bias"),
    ],
)
def test_names_of_the_original_code(ldm: str, diffusers: str) -> None:
    recipes = to_ldm(list(NARROW["sd"]))
    assert recipes[ldm].olds == (diffusers,)
    assert to_diffusers(list(recipes))[diffusers].olds == (ldm,)


def test_early_folders_are_brought_up_to_date() -> None:
    folder = filled(NARROW["sd"])
    older = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    names = {}
    for name in folder.slots:
        stem, dot, rest = name.partition(".mid_block.attentions.0.")
        part, _, last = rest.rpartition(".")
        names[f"{stem}{dot}{older.get(part, part)}.{last}" if rest else name] = name
    old = folder.renamed(names)
    assert "encoder.mid_block.attentions.0.proj_attn.weight" in old.slots
    assert list(differing(recast(old, modernised(list(old.slots))), folder)) == []
    single = recast(folder, to_ldm(list(folder.slots)))
    assert list(differing(recast(old, to_ldm(list(old.slots))), single)) == []
