import pytest
import torch
from torch import nn

from inkwash.predictor.spec import RELEASED
from inkwash.predictor.unet import UNet
from inkwash.text.encoder import TextEncoder, TextSpec
from inkwash.weights.lora_names import Place, ldm_names, places, weighted

WORDS = TextSpec(16, 2, 2, tokens=8, vocabulary=20, projection=8)


def on_meta(name: str) -> UNet:
    with torch.device("meta"):
        return UNet(RELEASED[name])


DOWN_1 = "down_blocks.1.attentions.0.transformer_blocks"
KNOWN = {
    "sd15": {
        "input_blocks.0.0": "conv_in",
        "time_embed.2": "time_embedding.linear_2",
        "input_blocks.4.1.transformer_blocks.0.attn1.to_q": f"{DOWN_1}.0.attn1.to_q",
        "input_blocks.4.0.skip_connection": "down_blocks.1.resnets.0.conv_shortcut",
        "input_blocks.6.0.op": "down_blocks.1.downsamplers.0.conv",
        "input_blocks.11.0.out_layers.3": "down_blocks.3.resnets.1.conv2",
        "middle_block.0.in_layers.2": "mid_block.resnets.0.conv1",
        "middle_block.1.proj_in": "mid_block.attentions.0.proj_in",
        "middle_block.2.emb_layers.1": "mid_block.resnets.1.time_emb_proj",
        "output_blocks.2.1.conv": "up_blocks.0.upsamplers.0.conv",
        "output_blocks.5.2.conv": "up_blocks.1.upsamplers.0.conv",
        "output_blocks.11.1.norm": "up_blocks.3.attentions.2.norm",
        "out.0": "conv_norm_out",
        "out.2": "conv_out",
    },
    "sdxl": {
        "label_emb.0.2": "add_embedding.linear_2",
        "input_blocks.4.1.transformer_blocks.1.attn2.to_k": f"{DOWN_1}.1.attn2.to_k",
        "input_blocks.8.1.transformer_blocks.9.ff.net.2": "down_blocks.2.attentions.1.transformer_blocks.9.ff.net.2",
        "output_blocks.2.2.conv": "up_blocks.0.upsamplers.0.conv",
        "output_blocks.8.0.in_layers.0": "up_blocks.2.resnets.2.norm1",
    },
    "koala-700m": {
        "input_blocks.2.0.op": "down_blocks.0.downsamplers.0.conv",
        "input_blocks.3.1.proj_out": "down_blocks.1.attentions.0.proj_out",
        "output_blocks.1.2.conv": "up_blocks.0.upsamplers.0.conv",
    },
}


@pytest.mark.parametrize("name", KNOWN)
def test_the_original_code_numbers_blocks_through(name: str) -> None:
    network = on_meta(name)
    found = ldm_names(network)
    assert {other: found[other][0] for other in KNOWN[name]} == KNOWN[name]
    assert sorted(module for (module,) in found.values()) == sorted(weighted(network))


@pytest.mark.parametrize(
    "name",
    [
        "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_out_0",
        "lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_out_0",
        "lycoris_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_out_0",
        "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_out.0",
        "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_out",
        "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_out.0",
        "base_model.model.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_out.0",
        "diffusion_model.input_blocks.4.1.transformer_blocks.0.attn1.to_out.0",
    ],
)
def test_a_module_is_known_by_the_names_of_all_trainers(name: str) -> None:
    module = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_out.0"
    assert places({"predictor": on_meta("sd15")})[name] == Place("predictor", (module,))


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("lora_te_text_model_encoder_layers_1_mlp_fc1", "text"),
        ("lora_te1_text_model_encoder_layers_1_mlp_fc1", "text"),
        ("lora_te2_text_model_encoder_layers_1_mlp_fc1", "text_2"),
        ("text_encoder.text_model.encoder.layers.1.mlp.fc1", "text"),
        ("text_encoder.encoder.layers.1.mlp.fc1", "text"),
        ("text_encoder_2.text_model.encoder.layers.1.mlp.fc1", "text_2"),
        ("clip_l.transformer.text_model.encoder.layers.1.mlp.fc1", "text"),
        ("clip_g.transformer.text_model.encoder.layers.1.mlp.fc1", "text_2"),
    ],
)
def test_text_encoders_have_names_of_their_own(name: str, role: str) -> None:
    found = places({"text": TextEncoder(WORDS), "text_2": TextEncoder(WORDS)})
    assert found[name] == Place(role, ("encoder.layers.1.mlp.fc1",))  # type: ignore[arg-type]
    assert found["lora_te2_text_projection"].modules == ("text_projection",)


def test_another_predictor_brings_its_aliases() -> None:
    network = nn.ModuleDict({"q": nn.Linear(2, 2), "k": nn.Linear(2, 2)})
    found = places({"predictor": network}, {"blocks.0.qk": ("q", "k")})
    assert found["lora_unet_blocks_0_qk"] == found["diffusion_model.blocks.0.qk"] == Place("predictor", ("q", "k"))
    assert ldm_names(network) == {}
