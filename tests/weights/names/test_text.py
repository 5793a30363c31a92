import pytest
import torch

from inkwash.errors import WeightsError
from inkwash.text.encoder import TextEncoder, TextSpec
from inkwash.weights.containers.source import in_memory
from inkwash.weights.names.recipe import recast
from inkwash.weights.names.text import t5_from_llama, to_diffusers, to_openclip, with_model, without_model
from tools.topology import clip, differing, filled, named, t5


def test_there_and_back_is_the_same() -> None:
    folder = filled(clip(64, 4, 40, 100))
    single = recast(folder, to_openclip(list(folder.slots)))
    assert single.shape("transformer.resblocks.3.attn.in_proj_weight") == (192, 64)
    assert single.shape("transformer.resblocks.3.attn.in_proj_bias") == (192,)
    assert single.shape("text_projection") == (64, 40)
    assert list(differing(recast(single, to_diffusers(list(single.slots))), folder)) == []


def test_queries_keys_and_values_lie_in_this_order() -> None:
    folder = filled(clip(64, 1, 0, 100))
    single = recast(folder, to_openclip(list(folder.slots)))
    parts = [folder[f"text_model.encoder.layers.0.self_attn.{name}_proj.weight"] for name in "qkv"]
    assert torch.equal(single["transformer.resblocks.0.attn.in_proj_weight"], torch.cat(parts))
    assert torch.equal(single["positional_embedding"], folder["text_model.embeddings.position_embedding.weight"])


def test_counts_of_the_released_encoders() -> None:
    assert len(clip(768, 12)) == 196
    assert len(clip(1280, 32, 1280)) == 517
    big, huge = clip(1280, 32, 1280), clip(1024, 24, 1024)
    assert len(to_openclip(list(big))) == 389  # and logit_scale, in files
    assert len(to_openclip(list(huge))) == 293
    assert len(t5()) == 219


def test_names_of_any_age() -> None:
    whole = clip(64, 2, 40, 100)
    bare = without_model(list(whole))
    assert with_model(list(bare)).keys() == whole.keys()
    assert with_model(list(whole)).keys() == whole.keys()


def test_our_encoder_takes_them() -> None:
    names = without_model([*clip(64, 2), "text_model.embeddings.position_ids", "logit_scale"])
    assert names.keys() == TextEncoder(TextSpec(64, 2, 1, vocabulary=100)).state_dict().keys()


def test_a_layer_that_nobody_uses_is_left_out() -> None:
    kept = without_model(list(clip(1024, 24)), layers=23)
    assert "encoder.layers.22.mlp.fc1.weight" in kept
    assert "encoder.layers.23.mlp.fc1.weight" not in kept


def test_a_missing_third_is_told() -> None:
    folder = filled(clip(64, 1, 0, 100))
    lacking = folder.renamed({name: name for name in folder.slots if "k_proj.weight" not in name})
    with pytest.raises(WeightsError, match=r"lacks text_model\.encoder\.layers\.0\.self_attn\.k_proj\.weight"):
        recast(lacking, to_openclip(list(lacking.slots)))


def test_thirds_that_are_none_are_told() -> None:
    odd = in_memory({"transformer.resblocks.0.attn.in_proj_weight": torch.zeros(4, 3)})
    with pytest.raises(WeightsError, match="cannot be cut in 3"):
        recast(odd, to_diffusers(list(odd.slots)))


def test_t5_from_another_world() -> None:
    ends = {"token_embd.weight": "shared.weight", "enc.output_norm.weight": "encoder.final_layer_norm.weight"}
    parts = ("attn_q", "attn_k", "attn_v", "attn_o", "attn_norm", "ffn_norm", "ffn_gate", "ffn_up", "ffn_down")
    names = [*ends, "enc.blk.0.attn_rel_b.weight", *(f"enc.blk.{n}.{part}.weight" for n in range(24) for part in parts)]
    recipes = t5_from_llama([*names, "enc.blk.0.unheard_of.weight"])
    assert recipes.keys() - {"enc.blk.0.unheard_of.weight"} == named(t5()).slots.keys()
    assert recipes["encoder.block.7.layer.1.DenseReluDense.wi_1.weight"].olds == ("enc.blk.7.ffn_up.weight",)
