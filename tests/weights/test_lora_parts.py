"""Adapters of Stable Diffusion 3 as files: the transformer whose queries, keys and values are one matrix elsewhere."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from inkwash.errors import WeightsError
from inkwash.predictor.mmdit import MMDiT
from inkwash.weights.adapted import changeable, changes_of, patched
from inkwash.weights.choice import ModelChoice
from inkwash.weights.containers.source import in_memory, open_safetensors
from inkwash.weights.containers.writing import write_source
from inkwash.weights.files import Checkpoint
from inkwash.weights.lora import read_changes
from inkwash.weights.lora_files import baked, resized, taken
from inkwash.weights.models import open_model
from inkwash.weights.single import apart, together
from tools.checkpoints import Shelf, parts_of

LDM = "model.diffusion_model."
PLACES = ("joint_blocks.0.x_block.attn.qkv", "joint_blocks.1.context_block.attn.qkv", "joint_blocks.0.x_block.mlp.fc1",
          "final_layer.adaLN_modulation.1", "joint_blocks.1.context_block.adaLN_modulation.1",
          "joint_blocks.0.context_block.adaLN_modulation.1", "x_embedder.proj")  # fmt: skip
"""Of the reference: fused ones, plain ones, and those whose halves diffusers has the other way round."""


def pairs(shapes: dict[str, tuple[int, ...]], naming: str, rank: int = 3) -> dict[str, Tensor]:
    """A LoRA with an alpha of half its rank, under kohya's names or with dots under PEFT's."""
    generator = torch.Generator().manual_seed(4)
    found = {}
    for module, (rows, *inner) in shapes.items():
        ones = [1] * (len(inner) - 1)
        up, down = (torch.randn(shape, generator=generator) for shape in ((rows, rank, *ones), (rank, *inner)))
        stem = f"lora_unet_{module.replace('.', '_')}" if naming == "kohya" else f"diffusion_model.{module}"
        ends = ("lora_up", "lora_down") if naming == "kohya" else ("lora_B", "lora_A")
        found |= {f"{stem}.{ends[0]}.weight": up, f"{stem}.{ends[1]}.weight": down, f"{stem}.alpha": torch.tensor(1.5)}
    return found


@pytest.mark.parametrize("naming", ["kohya", "comfy"])
def test_names_of_the_reference_change_the_matrices_of_the_reference(shelf: Shelf, tmp_path: Path, naming: str) -> None:
    single = open_safetensors(shelf("sd3", "single"))
    shapes = {module: single.shape(f"{LDM}{module}.weight") for module in PLACES}
    lora = pairs(shapes, naming)
    write_source(tmp_path / "it.safetensors", in_memory(lora), {})
    whole = baked(shelf("sd3", "single"), [(tmp_path / "it.safetensors", 0.5)])
    changed = {name for name in whole if not torch.equal(whole[name], single[name])}
    assert changed == {f"{LDM}{module}.weight" for module in PLACES}
    ends = iter(lora.values())
    for module, up, down, alpha in zip(PLACES, ends, ends, ends, strict=True):
        weight = single[f"{LDM}{module}.weight"].float()
        wanted = weight + 0.5 * (alpha / 3) * (up.flatten(1) @ down.flatten(1)).reshape(weight.shape)
        torch.testing.assert_close(whole[f"{LDM}{module}.weight"].float(), wanted.half().float(), rtol=1e-3, atol=1e-3)


def drifted(path: Path) -> Path:
    """The small Stable Diffusion 3 after a training of all matrices and biases of its transformer."""
    generator = torch.Generator().manual_seed(1)
    parts = dict(parts_of("sd3"))
    tensors = {name: tensor.float() for name, tensor in parts["transformer"].tensors().items()}
    for name in tensors.keys() - {"pos_embed.pos_embed"}:
        tensors[name] = tensors[name] + 0.05 * torch.randn(tensors[name].shape, generator=generator)
    write_source(path, together({"transformer": in_memory(tensors)}, "sd3"), {})
    return path


@pytest.fixture(scope="module")
def extract(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A tuned checkpoint, and all that it learned as an adapter."""
    folder = tmp_path_factory.mktemp("joint")
    after = drifted(folder / "tuned.safetensors")
    tensors, notes = taken(after, shelf("sd3", "single"), 4096)
    write_source(folder / "all.safetensors", in_memory(tensors), notes)
    return after, folder / "all.safetensors"


def test_patched_is_baked_is_tuned(shelf: Shelf, extract: tuple[Path, Path]) -> None:
    after, file = extract
    tuned = apart(open_safetensors(after)).parts["transformer"]
    whole = apart(baked(shelf("sd3", "folder"), [(file, 1.0)])).parts["transformer"]
    bundle = open_model(ModelChoice(shelf("sd3", "folder"), lora=(str(file),)))
    assert isinstance(bundle.predictor, MMDiT)
    for name, weight in bundle.predictor.state_dict().items():
        torch.testing.assert_close(weight, tuned[name].float(), rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(whole[name].float(), tuned[name].float(), rtol=2e-3, atol=2e-3)  # of half precision


def test_prompts_call_it_and_let_it_go(shelf: Shelf, extract: tuple[Path, Path]) -> None:
    bundle = open_model(ModelChoice(shelf("sd3", "folder")))
    before = {name: weight.clone() for name, weight in bundle.predictor.state_dict().items()}
    with patched(bundle, [(extract[1], 1.0, 1.0, None)]):
        assert not torch.equal(bundle.predictor.state_dict()["proj_out.weight"], before["proj_out.weight"])
    assert all(torch.equal(weight, before[name]) for name, weight in bundle.predictor.state_dict().items())
    assert set(changes_of(bundle, extract[1])) == {"predictor"} < set(changeable(bundle))


def test_diffusers_knows_every_name_and_comes_to_the_tuned_one(shelf: Shelf, extract: tuple[Path, Path]) -> None:
    """What `load_lora_weights` wants: "lora" in every name, layers that PEFT can wrap, one rank, no scale beside it."""
    diffusers: Any = pytest.importorskip("diffusers", reason="comes with the extra `bench`", exc_type=ImportError)
    pytest.importorskip("transformers", reason="diffusers builds its pipelines with it")
    state: dict[str, Tensor] = diffusers.StableDiffusion3Pipeline.lora_state_dict(str(extract[1]))
    network = diffusers.SD3Transformer2DModel.from_pretrained(
        shelf("sd3", "folder"), subfolder="transformer", torch_dtype=torch.float32
    )
    tuned = apart(open_safetensors(extract[0])).parts["transformer"]
    assert all("lora" in name and name.startswith("transformer.") for name in state)
    assert len({len(tensor) for name, tensor in state.items() if name.endswith(".lora_A.weight")}) == 1
    stems = {name.removeprefix("transformer.").partition(".lora_")[0] for name in state}
    for stem in stems:
        layer = network.get_submodule(stem)
        assert isinstance(layer, torch.nn.Linear | torch.nn.Conv2d)
        b, a = (state[f"transformer.{stem}.lora_{end}.weight"] for end in "BA")
        change = (b.flatten(1) @ a.flatten(1)).reshape(layer.weight.shape)
        torch.testing.assert_close(layer.weight + change, tuned[f"{stem}.weight"].float(), rtol=1e-4, atol=1e-4)
        bias = layer.bias + state[f"transformer.{stem}.lora_B.bias"]
        torch.testing.assert_close(bias, tuned[f"{stem}.bias"].float(), rtol=1e-4, atol=1e-4)
    assert stems == {name.rpartition(".")[0] for name in network.state_dict()} - {"pos_embed"}


def test_a_smaller_rank_is_the_nearest(tmp_path: Path, extract: tuple[Path, Path]) -> None:
    before = open_safetensors(extract[1]).tensors()
    after, _ = resized(extract[1], 5)
    assert after.keys() == before.keys()
    stem = "transformer.transformer_blocks.0.attn.to_q"
    whole, near = (found[f"{stem}.lora_B.weight"] @ found[f"{stem}.lora_A.weight"] for found in (before, after))
    assert {len(tensor) for name, tensor in after.items() if name.endswith(".lora_A.weight")} == {5}
    lost = torch.linalg.svdvals(whole)[5:].square().sum().sqrt()
    assert torch.linalg.norm(whole - near) == pytest.approx(lost.item(), rel=1e-3)


def test_rows_that_are_rescaled_change_places_too(shelf: Shelf, tmp_path: Path) -> None:
    """DoRA under the reference's names, whose last norm is told the shift first: W' = m (W + D) / |W + D|."""
    single, module = open_safetensors(shelf("sd3", "single")), "final_layer.adaLN_modulation.1"
    lora = pairs({module: single.shape(f"{LDM}{module}.weight")}, "kohya")
    up, down, _ = lora.values()
    norms = torch.rand(len(up), 1) + 0.5
    lora["lora_unet_final_layer_adaLN_modulation_1.dora_scale"] = norms
    write_source(tmp_path / "it.safetensors", in_memory(lora), {})
    whole = baked(shelf("sd3", "single"), [(tmp_path / "it.safetensors", 1.0)])
    moved = single[f"{LDM}{module}.weight"].float() + 0.5 * (up @ down)
    wanted = norms * moved / moved.norm(dim=1, keepdim=True)
    torch.testing.assert_close(whole[f"{LDM}{module}.weight"].float(), wanted, rtol=1e-3, atol=1e-3)


def test_peft_scales_a_bias_as_the_matrices_beside_it() -> None:
    network = torch.nn.ModuleDict({"layer": torch.nn.Linear(4, 6)})
    b, a, bias = torch.randn(6, 2), torch.randn(2, 4), torch.randn(6)
    tensors = {"transformer.layer.lora_B.weight": b, "transformer.layer.lora_A.weight": a}
    told = {"lora_adapter_metadata": json.dumps({"transformer.lora_alpha": 3.0, "transformer.r": 2})}
    found = read_changes(Checkpoint(tensors | {"transformer.layer.lora_B.bias": bias}, told), {"predictor": network})
    changes = found["predictor"]
    torch.testing.assert_close(changes["layer.bias"].applied(torch.zeros(6), 1.0), 1.5 * bias)
    torch.testing.assert_close(changes["layer.weight"].applied(torch.zeros(6, 4), 1.0), 1.5 * (b @ a))
    with pytest.raises(WeightsError, match="incomplete"):
        read_changes(Checkpoint({"transformer.layer.lora_B.bias": bias}, {}), {"predictor": network})
