"""Files of adapters: every kind and naming, and everything that can be wrong with them."""

import json
from collections.abc import Mapping
from math import nan, sqrt
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from inkwash.errors import WeightsError
from inkwash.predictor.spec import TINY
from inkwash.predictor.unet import UNet
from inkwash.text.encoder import TextEncoder, TextSpec
from inkwash.weights.change import Changes
from inkwash.weights.files import Checkpoint
from inkwash.weights.lora import read_changes
from inkwash.weights.lora_names import Role
from inkwash.weights.patch import Patch
from tools.golden.filling import filled, filling, given
from tools.golden.unets import SD1, told

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "steered.json").read_text())
MODULE = "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k"
"""A linear layer of 64 x 16."""
STEM = "lora_unet_" + MODULE.replace(".", "_")
CONV = "lora_unet_conv_in"
OUT, IN = 64, 16
WORDS = TextSpec(16, 1, 2, tokens=8, vocabulary=20)


def networks() -> Mapping[Role, nn.Module]:
    with torch.device("meta"):
        return {"predictor": UNet(TINY), "text": TextEncoder(WORDS)}


def read(tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> Changes:
    return read_changes(Checkpoint(tensors, metadata or {}), networks())["predictor"]


def delta(changes: Changes, path: str = f"{MODULE}.weight", shape: tuple[int, ...] = (OUT, IN)) -> Tensor:
    assert list(changes) == [path]
    return changes[path].delta(shape)


UP, DOWN = filling("up", (OUT, 4)), filling("down", (4, IN))


@pytest.mark.parametrize("conv", [False, True], ids=["linear", "conv"])
def test_a_network_with_a_kohya_file_answers_as_one_whose_weights_were_added_up(conv: bool) -> None:
    name = f"steered.sd1.lora_{'conv' if conv else 'linear'}"
    network, tensors = filled(UNet(SD1)), {}
    for key, weight in network.state_dict().items():
        module, chosen = (
            key.removesuffix(".weight"),
            "attentions" in key or (conv and "resnets" in key and "conv" in key),
        )
        if key.endswith(".weight") and weight.ndim > 1 and chosen:
            stem, ones = "lora_unet_" + module.replace(".", "_"), [1, 1] if weight.ndim == 4 else []
            shapes = {"lora_down": (4, *weight.shape[1:]), "lora_up": (len(weight), 4, *ones)}
            tensors |= {f"{stem}.{end}.weight": filling(f"{stem}.{end}.weight", shape) for end, shape in shapes.items()}
            tensors[f"{stem}.alpha"] = torch.tensor(2.0)
    Patch(network).add("a", read_changes(Checkpoint(tensors, {}), {"predictor": network})["predictor"], 0.7)
    found = network(given(f"{name}.x", (2, 4, 16, 24)), torch.tensor([500.0, 20.0]), told(SD1, name))
    golden, flat = GOLDEN[name], found.double().flatten()
    ends = torch.tensor(golden["head"] + golden["tail"], dtype=torch.float64)
    assert (torch.cat([flat[:6], flat[-6:]]) - ends).abs().max() <= 1e-5 * flat.abs().max()
    assert flat.abs().sum().item() == pytest.approx(golden["sum_abs"], rel=1e-5)


@pytest.mark.parametrize(
    ("down", "up"),
    [
        (f"{STEM}.lora_down.weight", f"{STEM}.lora_up.weight"),
        (f"unet.{MODULE}.lora_A.weight", f"unet.{MODULE}.lora_B.weight"),
        (f"base_model.model.{MODULE}.lora_A.default.weight", f"base_model.model.{MODULE}.lora_B.default.weight"),
        (f"unet.{MODULE}.lora.down.weight", f"unet.{MODULE}.lora.up.weight"),
        (
            "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.processor.to_k_lora.down.weight",
            "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.processor.to_k_lora.up.weight",
        ),
        (
            "lora_unet_input_blocks_3_1_transformer_blocks_0_attn2_to_k.lora_down.weight",
            "lora_unet_input_blocks_3_1_transformer_blocks_0_attn2_to_k.lora_up.weight",
        ),
    ],
)
def test_every_naming_means_the_same(down: str, up: str) -> None:
    torch.testing.assert_close(delta(read({down: DOWN, up: UP})), UP @ DOWN)


def test_text_encoders_are_told_apart() -> None:
    te, layer = "lora_te_text_model_encoder_layers_0_self_attn_q_proj", "encoder.layers.0.self_attn.q_proj"
    old = f"text_encoder.text_model.{layer.replace('q_proj', 'k_proj')}.lora_linear_layer"
    tensors = {
        f"{te}.lora_down.weight": filling("a", (2, 16)),
        f"{te}.lora_up.weight": filling("b", (16, 2)),
        f"{old}.down.weight": filling("c", (2, 16)),
        f"{old}.up.weight": filling("d", (16, 2)),
    }
    found = read_changes(Checkpoint(tensors, {}), networks())
    assert found.keys() == {"text"}
    assert found["text"].keys() == {f"{layer}.weight", f"{layer.replace('q_proj', 'k_proj')}.weight"}


def test_alpha_divided_by_the_rank_is_the_scale() -> None:
    tensors = {f"{STEM}.lora_down.weight": DOWN, f"{STEM}.lora_up.weight": UP, f"{STEM}.alpha": torch.tensor(1.0)}
    torch.testing.assert_close(delta(read(tensors)), UP @ DOWN / 4)


@pytest.mark.parametrize(
    ("notes", "scale"),
    [
        ({"unet.lora_alpha": 8, "unet.r": 4}, 2.0),
        ({"unet.lora_alpha": 8, "unet.use_rslora": True}, 8 / sqrt(4)),
        ({"unet.lora_alpha": 8, "unet.alpha_pattern": {"attn2.to_k": 2}}, 0.5),
        ({"text_encoder.lora_alpha": 8}, 1.0),
        ({"unet.lora_alpha": "many"}, 1.0),
        ([], 1.0),
    ],
)
def test_scales_may_stand_beside_the_tensors(notes: object, scale: float) -> None:
    tensors = {f"unet.{MODULE}.lora_A.weight": DOWN, f"unet.{MODULE}.lora_B.weight": UP}
    found = read(tensors, {"lora_adapter_metadata": json.dumps(notes)})
    torch.testing.assert_close(delta(found), scale * UP @ DOWN)


def test_notes_that_cannot_be_read_are_none() -> None:
    tensors = {f"unet.{MODULE}.lora_A.weight": DOWN, f"unet.{MODULE}.lora_B.weight": UP}
    torch.testing.assert_close(delta(read(tensors, {"lora_adapter_metadata": "{" * 100_000})), UP @ DOWN)


def test_hadamard_files() -> None:
    shapes = {"w1_a": (OUT, 4), "w1_b": (4, IN), "w2_a": (OUT, 4), "w2_b": (4, IN)}
    parts = {name: filling(name, shape) for name, shape in shapes.items()}
    tensors = {**{f"{STEM}.hada_{name}": part for name, part in parts.items()}, f"{STEM}.alpha": torch.tensor(2.0)}
    wanted = 0.5 * (parts["w1_a"] @ parts["w1_b"]) * (parts["w2_a"] @ parts["w2_b"])
    torch.testing.assert_close(delta(read(tensors)), wanted)


def test_kronecker_files_divide_by_the_rank_only_where_there_is_one() -> None:
    w1, a, b = filling("w1", (4, 4)), filling("a", (16, 2)), filling("b", (2, 4))
    alpha = {f"{STEM}.alpha": torch.tensor(1.0)}
    whole = read({f"{STEM}.lokr_w1": w1, f"{STEM}.lokr_w2": a @ b, **alpha})
    torch.testing.assert_close(delta(whole), torch.kron(w1, a @ b))
    split = read({f"{STEM}.lokr_w1": w1, f"{STEM}.lokr_w2_a": a, f"{STEM}.lokr_w2_b": b, **alpha})
    torch.testing.assert_close(delta(split), 0.5 * torch.kron(w1, a @ b))


def test_kronecker_files_of_kernels() -> None:
    w1, a, b = filling("w1", (4, 2)), filling("a", (2, 8)), filling("b", (2, 2))
    core = filling("t2", (2, 2, 3, 3))
    names = {"w1": w1, "w2_a": a, "w2_b": b, "t2": core}
    found = read({f"{CONV}.lokr_{name}": part for name, part in names.items()})
    kernel = torch.einsum("ijhw,io,jn->onhw", core, a, b).contiguous()
    wanted = torch.kron(w1[:, :, None, None], kernel)
    torch.testing.assert_close(delta(found, "conv_in.weight", (32, 4, 3, 3)), wanted)


def test_differences_are_added_as_they_are() -> None:
    tensors = {f"{CONV}.diff": filling("a", (32, 4, 3, 3)), f"{CONV}.diff_b": filling("b", (32,))}
    found = read(
        {
            **tensors,
            "lora_unet_conv_norm_out.w_norm": filling("c", (32,)),
            "lora_unet_conv_norm_out.b_norm": filling("d", (32,)),
        }
    )
    assert found.keys() == {"conv_in.weight", "conv_in.bias", "conv_norm_out.weight", "conv_norm_out.bias"}
    assert torch.equal(found["conv_in.weight"].delta((32, 4, 3, 3)), tensors[f"{CONV}.diff"])
    assert torch.equal(found["conv_in.bias"].delta((32,)), tensors[f"{CONV}.diff_b"])


@pytest.mark.parametrize("end", ["dora_scale", "lora_magnitude_vector", "lora_magnitude_vector.weight"])
def test_magnitudes_go_along(end: str) -> None:
    magnitude = filling("m", (OUT, 1)).abs()
    found = read({f"{STEM}.lora_down.weight": DOWN, f"{STEM}.lora_up.weight": UP, f"{STEM}.{end}": magnitude})
    moved = found[f"{MODULE}.weight"].applied(filling("w", (OUT, IN)), 1.0)
    torch.testing.assert_close(moved.norm(dim=1, keepdim=True), magnitude)


def test_one_matrix_for_several_layers_is_shared_out() -> None:
    network = nn.ModuleDict({name: nn.Linear(IN, 5) for name in "qkv"})
    up, magnitude = filling("up", (15, 4)), filling("m", (15, 1)).abs()
    tensors = {
        "lora_unet_qkv.lora_down.weight": DOWN,
        "lora_unet_qkv.lora_up.weight": up,
        "lora_unet_qkv.dora_scale": magnitude,
    }
    (found,) = read_changes(Checkpoint(tensors, {}), {"predictor": network}, aliases={"qkv": ("q", "k", "v")}).values()
    assert list(found) == ["q.weight", "k.weight", "v.weight"]
    torch.testing.assert_close(torch.cat([change.delta((5, IN)) for change in found.values()]), up @ DOWN)
    assert torch.equal(torch.cat([change.magnitude for change in found.values()]), magnitude)


def test_embeddings_that_travel_along_are_left_alone() -> None:
    tensors = {
        f"{STEM}.lora_down.weight": DOWN,
        f"{STEM}.lora_up.weight": UP,
        "bundle_emb.cat.clip_l": torch.zeros(2, 768),
    }
    assert list(read(tensors)) == [f"{MODULE}.weight"]


WRONG = {
    "unknown tensors": ({f"{STEM}.lora_dwon.weight": DOWN}, f"unknown {STEM}.lora_dwon.weight"),
    "another network": (
        {"lora_unet_x.lora_down.weight": DOWN, "lora_unet_x.lora_up.weight": UP},
        "no place for lora_unet_x",
    ),
    "half a pair": ({f"{STEM}.lora_down.weight": DOWN}, "is incomplete: it has down"),
    "half a product": ({f"{STEM}.hada_w1_a": UP, f"{STEM}.hada_w1_b": DOWN}, "is incomplete: it has w1_a, w1_b"),
    "half a factor": ({f"{STEM}.lokr_w1": UP, f"{STEM}.lokr_w2_a": UP}, "is incomplete: it has k_w1, k_w2_a"),
    "an alpha alone": ({f"{STEM}.alpha": torch.tensor(1.0)}, "is incomplete: it has alpha"),
    "a scale alone": ({f"{STEM}.dora_scale": torch.ones(OUT, 1)}, "is incomplete: it has a scale alone"),
    "many alphas": (
        {f"{STEM}.lora_down.weight": DOWN, f"{STEM}.lora_up.weight": UP, f"{STEM}.alpha": torch.ones(2)},
        "has an alpha that is no number",
    ),
    "no alpha at all": (
        {f"{STEM}.lora_down.weight": DOWN, f"{STEM}.lora_up.weight": UP, f"{STEM}.alpha": torch.tensor(nan)},
        "has an alpha of nan",
    ),
    "no rank": (
        {f"{STEM}.lora_down.weight": torch.zeros(0, IN), f"{STEM}.lora_up.weight": torch.zeros(OUT, 0)},
        "has no rank",
    ),
    "the same twice": ({f"{STEM}.diff": UP, f"unet.{MODULE}.diff": UP}, "is there twice, under two names"),
    "nothing": ({}, "no adapter is in it"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said(name: str) -> None:
    tensors, message = WRONG[name]
    with pytest.raises(WeightsError) as error:
        read(tensors)
    assert message in str(error.value)


def test_factors_that_cannot_be_multiplied_do_not_fit() -> None:
    network = UNet(TINY)
    tensors = {f"{STEM}.lokr_w1": UP, f"{STEM}.lokr_w2_a": UP, f"{STEM}.lokr_w2_b": UP}
    with pytest.raises(WeightsError, match=r"a does not fit: .*attn2\.to_k\.weight is \(64, 16\)"):
        Patch(network).add("a", read_changes(Checkpoint(tensors, {}), {"predictor": network})["predictor"])


def test_many_wrongs_are_one_error() -> None:
    with pytest.raises(WeightsError, match=r"unknown x7 and 4 more$"):
        read({f"x{index}": DOWN for index in range(12)})
