import pytest

from inkwash.weights.adapters import low_rank
from tools.topology import Slots, named

ATTN = "down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
DOTTED = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k"


def pair(name: str, down: str, up: str, width: int, rank: int = 8) -> Slots:
    return {f"{name}.{down}": (rank, width), f"{name}.{up}": (320, rank)}


def kohya(name: str, width: int, rank: int = 8) -> Slots:
    return pair(name, "lora_down.weight", "lora_up.weight", width, rank) | {f"{name}.alpha": ()}


TE2 = "lora_te2_text_model_encoder_layers_0_self_attn_q_proj"


@pytest.mark.parametrize(
    ("slots", "kind", "family", "naming", "rank", "modules"),
    [
        (kohya(f"lora_unet_{ATTN}", 768), "lora", "sd1", "kohya", "8", 1),
        (kohya(f"lora_unet_{ATTN}", 1024) | kohya("lora_te_text_model_x_q_proj", 1024, 4), "lora", "sd2", "kohya",
         "4 to 8", 2),
        (kohya("lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k", 2048) | kohya(TE2, 1280), "lora", "sdxl",
         "kohya", "8", 2),
        (kohya(TE2, 1280), "lora", "sdxl", "kohya", "8", 1),
        (kohya("lora_unet_joint_blocks_0_x_block_attn_qkv", 1536), "lora", "sd3", "kohya", "8", 1),
        (pair(f"unet.{DOTTED}", "lora_A.weight", "lora_B.weight", 768), "lora", "sd1", "diffusers", "8", 1),
        (pair(f"unet.{DOTTED}", "lora.down.weight", "lora.up.weight", 2048, 64), "lora", "sdxl", "diffusers", "64", 1),
        (pair("unet.x.attn2.processor.to_k_lora", "down.weight", "up.weight", 768, 4),
         "lora", "sd1", "diffusers", "4", 1),
        (pair(f"base_model.model.{DOTTED}", "lora_A.weight", "lora_B.weight", 768), "lora", "sd1", "peft", "8", 1),
        (pair("diffusion_model.input_blocks.1.1.attn2.to_k", "lora_down.weight", "lora_up.weight", 768), "lora", "sd1",
         "comfy", "8", 1),
        (pair("transformer.transformer_blocks.0.attn.to_q", "lora_A.weight", "lora_B.weight", 1536), "lora", "sd3",
         "diffusers", "8", 1),
        (kohya(f"lora_unet_{ATTN}", 768) | {f"lora_unet_{ATTN}.dora_scale": (320, 1)}, "dora", "sd1", "kohya", "8", 1),
        ({f"lora_unet_{ATTN}.hada_w1_a": (320, 4), f"lora_unet_{ATTN}.hada_w1_b": (4, 768),
          f"lora_unet_{ATTN}.hada_w2_a": (320, 4), f"lora_unet_{ATTN}.hada_w2_b": (4, 768)},
         "loha", "sd1", "kohya", "4", 1),
        ({f"lycoris_{ATTN}.lokr_w1": (4, 4), f"lycoris_{ATTN}.lokr_w2_a": (80, 16),
          f"lycoris_{ATTN}.lokr_w2_b": (16, 192)}, "lokr", "", "kohya", "16", 1),
        ({f"lora_unet_{ATTN}.diff": (320, 768), f"lora_unet_{ATTN}.diff_b": (320,)}, "full", "sd1", "kohya", "", 1),
        ({"lora_unet_x_norm.w_norm": (320,), "lora_unet_x_norm.b_norm": (320,)}, "norm", "", "kohya", "", 1),
        ({f"lora_unet_{ATTN}.oft_blocks": (4, 80, 80)}, "oft", "", "kohya", "", 1),
        ({f"lora_unet_{ATTN}.on_input": (), f"lora_unet_{ATTN}.weight": (320,)}, "ia3", "", "kohya", "", 1),
    ],
)  # fmt: skip
def test_kind_family_naming_and_rank(
    slots: Slots, kind: str, family: str, naming: str, rank: str, modules: int
) -> None:
    found = low_rank(named(slots))
    assert found is not None
    assert (found.kind, found.family, found.naming) == (kind, family, naming)
    assert (found.rank, found.modules) == (rank, modules)


def test_parts_that_are_changed() -> None:
    found = low_rank(named(kohya(f"lora_unet_{ATTN}", 2048) | kohya("lora_te1_x", 768) | kohya(TE2, 1280)))
    assert found is not None
    assert found.parts == ("unet", "text_encoder", "text_encoder_2")


def test_others_are_none() -> None:
    assert low_rank(named({"conv_in.weight": (320, 4, 3, 3)})) is None
