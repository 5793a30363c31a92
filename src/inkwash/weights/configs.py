"""The configurations of a diffusers folder, from the shapes of the tensors in it."""

import re
from collections.abc import Mapping
from typing import Any

from inkwash.predictor.spec import UNetSpec
from inkwash.weights.containers.source import Source
from inkwash.weights.families import FAMILIES, Prediction
from inkwash.weights.family import Identity
from inkwash.weights.network_specs import unet_of, words
from inkwash.weights.shape import MMDiTShape, mmdit_shape

Config = Mapping[str, Any]
PIPELINES: Mapping[tuple[str, str], str] = {
    ("sd", "paint"): "StableDiffusionPipeline",
    ("sd", "inpaint"): "StableDiffusionInpaintPipeline",
    ("sd", "edit"): "StableDiffusionInstructPix2PixPipeline",
    ("sd", "depth"): "StableDiffusionDepth2ImgPipeline",
    ("sd", "upscale"): "StableDiffusionUpscalePipeline",
    ("xl", "paint"): "StableDiffusionXLPipeline",
    ("xl", "inpaint"): "StableDiffusionXLInpaintPipeline",
    ("xl", "edit"): "StableDiffusionXLInstructPix2PixPipeline",
    ("refiner", "paint"): "StableDiffusionXLImg2ImgPipeline",
    ("sd3", "paint"): "StableDiffusion3Pipeline",
}
CLASSES: Mapping[str, tuple[str, str]] = {
    "unet": ("diffusers", "UNet2DConditionModel"), "transformer": ("diffusers", "SD3Transformer2DModel"),
    "vae": ("diffusers", "AutoencoderKL"), "text_encoder": ("transformers", "CLIPTextModel"),
    "text_encoder_2": ("transformers", "CLIPTextModelWithProjection"),
    "text_encoder_3": ("transformers", "T5EncoderModel"), "depth_estimator": ("transformers", "DPTForDepthEstimation"),
    "image_encoder": ("transformers", "CLIPVisionModelWithProjection"),
}  # fmt: skip
HIDDEN_LAYER = 24
"""Layers of OpenCLIP-H; folders of Stable Diffusion 2 say one less, since the last one is not used."""


def configured(identity: Identity, parts: Mapping[str, Source], told: Prediction) -> dict[str, Config]:
    """Every configuration by its path in the folder."""
    sd3 = "transformer" in parts
    found: dict[str, Config] = {"model_index.json": _index(identity, parts)}
    for name, part in parts.items():
        if (config := _config(name, part, identity, sd3)) is not None:
            found[f"{name}/config.json"] = _sized(config, identity, told)
    found["scheduler/scheduler_config.json"] = _scheduler(identity, told)
    return found


def _sized(config: Config, identity: Identity, told: Prediction) -> Config:
    """Of the two Stable Diffusions 2, the one that tells noise was taught smaller pictures."""
    if identity.family != "sd2" or told != "epsilon" or "sample_size" not in config:
        return config
    return {**config, "sample_size": 64 if "cross_attention_dim" in config else 512}


def _config(name: str, part: Source, identity: Identity, sd3: bool) -> Config | None:
    if (spec := unet_of(part)) is not None:
        return unet_config(spec, identity.family)
    if (dit := mmdit_shape(part)) is not None:
        return transformer_config(dit)
    if name == "vae":
        return vae_config(part, identity.family)
    if name in ("text_encoder", "text_encoder_2"):
        return clip_config(part, projected=sd3 or name == "text_encoder_2")
    return t5_config(part) if name == "text_encoder_3" else None


def unet_config(spec: UNetSpec, family: str) -> Config:
    """Of a U-Net2DConditionModel."""
    levels = range(len(spec.stages))
    downs, ups = [spec.depths_down(level) for level in levels], [spec.depths_up(level) for level in reversed(levels)]
    widths = [stage.channels for stage in spec.stages]
    depths = [max((1, *level)) for level in downs]
    alike = {depth for level in (*downs, (spec.mid_depth,)) for depth in level if depth}
    middle = ("UNetMidBlock2DCrossAttn" if spec.mid_depth else "UNetMidBlock2D") if spec.mid_blocks else None
    added = spec.pooled_width + spec.size_numbers * spec.size_width
    config: dict[str, Any] = {
        "_class_name": "UNet2DConditionModel",
        "in_channels": spec.channels_in,
        "out_channels": spec.channels_out,
        "block_out_channels": widths,
        "layers_per_block": spec.blocks,
        "down_block_types": ["CrossAttnDownBlock2D" if any(level) else "DownBlock2D" for level in downs],
        "up_block_types": ["CrossAttnUpBlock2D" if any(level) else "UpBlock2D" for level in ups],
        "mid_block_type": middle,
        "transformer_layers_per_block": depths if len(alike) > 1 else max(alike, default=1),
        "cross_attention_dim": words(spec),
        "attention_head_dim": spec.heads or [max(1, spec.heads_at(width)) for width in widths],
        "use_linear_projection": spec.linear_projection,
        "sample_size": FAMILIES[family].size // 8 if family in FAMILIES else 64,
        "only_cross_attention": [True, True, True, False] if family == "x4-upscaler" else False,
        "time_cond_proj_dim": spec.guidance_width or None,
        "num_class_embeds": spec.labels or None,
        "class_embed_type": "projection" if spec.label_width else None,
        "addition_embed_type": "text_time" if added else None,
        "addition_time_embed_dim": spec.size_width if added else None,
        "projection_class_embeddings_input_dim": added or spec.label_width or None,
    }
    if any(any(level) and set(level) != {depth} for level, depth in zip(reversed(ups), depths, strict=True)):
        config["reverse_transformer_layers_per_block"] = [list(level) if any(level) else 1 for level in ups]
    return config


def transformer_config(shape: MMDiTShape) -> Config:
    """Of an SD3Transformer2DModel."""
    return {
        "_class_name": "SD3Transformer2DModel", "sample_size": 128, "patch_size": 2, "in_channels": shape.channels,
        "out_channels": shape.channels, "num_layers": shape.depth, "attention_head_dim": 64,
        "num_attention_heads": shape.width // 64, "joint_attention_dim": shape.words,
        "caption_projection_dim": shape.width, "pooled_projection_dim": shape.pooled,
        "pos_embed_max_size": round(shape.positions**0.5), "dual_attention_layers": list(shape.dual),
        "qk_norm": "rms_norm" if shape.normed else None,
    }  # fmt: skip


def vae_config(part: Source, family: str) -> Config:
    """Of an AutoencoderKL."""
    levels = sorted({int(found[1]) for name in part.slots if (found := re.match(r"decoder\.up_blocks\.(\d+)\.", name))})
    widths = [part.shape(f"decoder.up_blocks.{level}.resnets.0.conv1.weight")[0] for level in reversed(levels)]
    blocks = {name.split(".")[4] for name in part.slots if name.startswith("decoder.up_blocks.0.resnets.")}
    latents = (part.shape("decoder.conv_in.weight") or (0, 4))[1]
    sd3, facts = latents == 16, FAMILIES.get(family)
    return {
        "_class_name": "AutoencoderKL", "in_channels": 3, "out_channels": 3, "latent_channels": latents,
        "block_out_channels": widths, "layers_per_block": len(blocks) - 1,
        "down_block_types": ["DownEncoderBlock2D"] * len(levels), "up_block_types": ["UpDecoderBlock2D"] * len(levels),
        "use_quant_conv": "quant_conv.weight" in part.slots,
        "use_post_quant_conv": "post_quant_conv.weight" in part.slots,
        "scaling_factor": facts.scale if facts else 1.5305 if sd3 else 0.18215,
        "shift_factor": (facts.shift if facts else 0.0609) if sd3 else None,
        "force_upcast": True, "sample_size": facts.size if facts else 512,
    }  # fmt: skip


def clip_config(part: Source, *, projected: bool) -> Config:
    """Of a CLIPTextModel, with its projection or without."""
    vocabulary, width = part.shape("text_model.embeddings.token_embedding.weight") or (49408, 768)
    layers = {found[1] for name in part.slots if (found := re.match(r"text_model\.encoder\.layers\.(\d+)\.", name))}
    inner = part.shape("text_model.encoder.layers.0.mlp.fc1.weight")
    small = width == 768
    hidden = width == 1024 and len(layers) == HIDDEN_LAYER
    return {
        "architectures": ["CLIPTextModelWithProjection" if projected else "CLIPTextModel"],
        "model_type": "clip_text_model", "vocab_size": vocabulary, "hidden_size": width,
        "intermediate_size": inner[0] if inner else 4 * width, "num_hidden_layers": len(layers) - hidden,
        "num_attention_heads": max(1, width // 64), "max_position_embeddings": 77, "layer_norm_eps": 1e-5,
        "hidden_act": "quick_gelu" if small else "gelu",
        "projection_dim": (part.shape("text_projection.weight") or (width,))[0],
        "bos_token_id": 49406, "eos_token_id": 49407, "pad_token_id": 49407 if small else 0,
    }  # fmt: skip


def t5_config(part: Source) -> Config:
    """Of a T5EncoderModel."""
    layers = {name.split(".")[2] for name in part.slots if name.startswith("encoder.block.")}
    vocabulary, width = part.shape("shared.weight") or part.shape("encoder.embed_tokens.weight") or (32128, 4096)
    inner = part.shape("encoder.block.0.layer.1.DenseReluDense.wi_0.weight") or (10240,)
    q = part.shape("encoder.block.0.layer.0.SelfAttention.q.weight") or (4096,)
    return {
        "architectures": ["T5EncoderModel"], "model_type": "t5", "vocab_size": vocabulary, "d_model": width,
        "d_kv": 64, "d_ff": inner[0], "num_layers": len(layers), "num_heads": q[0] // 64,
        "feed_forward_proj": "gated-gelu", "is_encoder_decoder": False, "layer_norm_epsilon": 1e-6,
        "relative_attention_num_buckets": 32, "relative_attention_max_distance": 128, "tie_word_embeddings": False,
        "pad_token_id": 0, "eos_token_id": 1,
    }  # fmt: skip


def _scheduler(identity: Identity, told: Prediction) -> Config:
    if told == "flow":
        return {"_class_name": "FlowMatchEulerDiscreteScheduler", "num_train_timesteps": 1000, "shift": 3.0}
    upscaler = identity.family == "x4-upscaler"
    return {
        "_class_name": "EulerDiscreteScheduler", "num_train_timesteps": 1000, "beta_schedule": "scaled_linear",
        "beta_start": 0.0001 if upscaler else 0.00085, "beta_end": 0.02 if upscaler else 0.012,
        "prediction_type": told, "timestep_spacing": "leading", "steps_offset": 1,
    }  # fmt: skip


def _index(identity: Identity, parts: Mapping[str, Source]) -> Config:
    kind = "sd3" if "transformer" in parts else "refiner" if identity.family == "sdxl-refiner" else ""
    kind = kind or ("xl" if "text_encoder_2" in parts else "sd")
    index: dict[str, Any] = {"_class_name": PIPELINES.get((kind, identity.task), PIPELINES[kind, "paint"])}
    for name in parts:
        if name in CLASSES:
            index[name] = list(CLASSES[name])
    if kind == "sd3" and "text_encoder" in parts:
        index["text_encoder"] = ["transformers", "CLIPTextModelWithProjection"]
    scheduler = "FlowMatchEulerDiscreteScheduler" if kind == "sd3" else "EulerDiscreteScheduler"
    return {**index, "scheduler": ["diffusers", scheduler]}
