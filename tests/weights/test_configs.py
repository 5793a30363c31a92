import json

import pytest

from inkwash.weights.configs import clip_config, configured, t5_config, transformer_config, unet_config, vae_config
from inkwash.weights.family import identified
from inkwash.weights.network_specs import unet_of
from inkwash.weights.shape import mmdit_shape
from tools.topology import clip, mmdit, named, t5, unets, vae

NETS = unets()
CA, CU = "CrossAttnDownBlock2D", "CrossAttnUpBlock2D"


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("sd1", {"attention_head_dim": 8, "transformer_layers_per_block": 1, "cross_attention_dim": 768,
                 "down_block_types": [CA, CA, CA, "DownBlock2D"], "up_block_types": ["UpBlock2D", CU, CU, CU],
                 "use_linear_projection": False, "sample_size": 64, "time_cond_proj_dim": None}),
        ("sd2", {"attention_head_dim": [5, 10, 20, 20], "use_linear_projection": True, "sample_size": 96}),
        ("sdxl", {"attention_head_dim": [5, 10, 20], "transformer_layers_per_block": [1, 2, 10],
                  "addition_embed_type": "text_time", "projection_class_embeddings_input_dim": 2816,
                  "down_block_types": ["DownBlock2D", CA, CA], "mid_block_type": "UNetMidBlock2DCrossAttn"}),
        ("sdxl-refiner", {"transformer_layers_per_block": 4, "attention_head_dim": [6, 12, 24, 24],
                          "projection_class_embeddings_input_dim": 2560}),
        ("x4-upscaler", {"attention_head_dim": 8, "only_cross_attention": [True, True, True, False],
                         "num_class_embeds": 1000, "in_channels": 7}),
        ("sd2-unclip-h", {"class_embed_type": "projection", "projection_class_embeddings_input_dim": 2048}),
        ("sd1-lcm", {"time_cond_proj_dim": 256}),
        ("ssd-1b", {"transformer_layers_per_block": [1, 2, 4], "mid_block_type": "UNetMidBlock2D",
                    "reverse_transformer_layers_per_block": [[4, 4, 10], [2, 1, 1], 1]}),
        ("koala-700m", {"mid_block_type": None, "layers_per_block": 1, "transformer_layers_per_block": [1, 2, 5]}),
        ("koala-1b", {"mid_block_type": "UNetMidBlock2DCrossAttn", "transformer_layers_per_block": [1, 2, 6]}),
    ],
)  # fmt: skip
def test_unets(name: str, wanted: dict[str, object]) -> None:
    source = named(NETS[name])
    spec = unet_of(source)
    assert spec is not None
    config = unet_config(spec, identified(source).family)
    assert {key: config[key] for key in wanted} == wanted
    assert ("reverse_transformer_layers_per_block" in config) == (name == "ssd-1b")


def test_transformers() -> None:
    shape = mmdit_shape(named(mmdit(38, 192, normed=True)))
    assert shape is not None
    config = transformer_config(shape)
    assert (config["num_layers"], config["num_attention_heads"], config["caption_projection_dim"]) == (38, 38, 2432)
    assert (config["pos_embed_max_size"], config["qk_norm"], config["dual_attention_layers"]) == (192, "rms_norm", [])


def test_autoencoders() -> None:
    config = vae_config(named(vae()), "sdxl")
    assert (config["block_out_channels"], config["layers_per_block"]) == ([128, 256, 512, 512], 2)
    assert (config["scaling_factor"], config["shift_factor"], config["use_quant_conv"]) == (0.13025, None, True)
    config = vae_config(named(vae(latents=16, quant=False)), "sd3-medium")
    assert (config["scaling_factor"], config["shift_factor"], config["use_quant_conv"]) == (1.5305, 0.0609, False)


def test_text_encoders() -> None:
    small = clip_config(named(clip(768, 12)), projected=False)
    assert (small["num_hidden_layers"], small["hidden_act"], small["pad_token_id"]) == (12, "quick_gelu", 49407)
    huge = clip_config(named(clip(1024, 24, 1024)), projected=False)
    assert (huge["num_hidden_layers"], huge["hidden_act"], huge["pad_token_id"]) == (23, "gelu", 0)
    big = clip_config(named(clip(1280, 32, 1280)), projected=True)
    assert (big["num_attention_heads"], big["projection_dim"]) == (20, 1280)
    words = t5_config(named(t5()))
    assert (words["num_layers"], words["num_heads"], words["d_ff"]) == (24, 64, 10240)


def test_a_whole_folder_of_them() -> None:
    parts = {"unet": named(NETS["sd1-inpaint"]), "vae": named(vae()), "text_encoder": named(clip(768, 12))}
    found = configured(identified(parts["unet"]), parts, "v_prediction")
    assert set(found) == {
        "model_index.json", "unet/config.json", "vae/config.json", "text_encoder/config.json",
        "scheduler/scheduler_config.json",
    }  # fmt: skip
    assert found["model_index.json"]["_class_name"] == "StableDiffusionInpaintPipeline"
    assert found["scheduler/scheduler_config.json"]["prediction_type"] == "v_prediction"
    assert json.loads(json.dumps(found)) == found
