"""Adapters as files: into a checkpoint and out of it again."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from inkwash.errors import InvalidRequest, WeightsError
from inkwash.weights.choice import ModelChoice
from inkwash.weights.containers.source import Source, in_memory, open_safetensors
from inkwash.weights.containers.writing import write_source
from inkwash.weights.family import identified
from inkwash.weights.lora_files import baked, resized, taken
from inkwash.weights.models import open_model
from inkwash.weights.single import Base, together
from tools.checkpoints import Shelf, parts_of
from tools.helpers import lora, write_lora


def tuned(path: Path, base: Base) -> Path:
    """The checkpoint after a training: everything near where it was."""
    generator = torch.Generator().manual_seed(1)

    def moved(part: Source) -> Source:
        tensors = {name: part[name].float() for name in part}
        for name in [name for name in tensors if "to_q" in name or "norm" in name]:
            tensors[name] = tensors[name] + 0.05 * torch.randn(tensors[name].shape, generator=generator)
        return in_memory(tensors)

    parts = {name: moved(part) for name, part in parts_of(base).items() if name != "vae"}
    write_source(path, together(parts, base), {})
    return path


def test_baked_is_the_patched_network(shelf: Shelf, tmp_path: Path) -> None:
    file = write_lora(tmp_path / "ink.safetensors")
    single = shelf("sd1", "single")
    write_source(tmp_path / "baked.safetensors", baked(single, [(file, 0.5), (file, 0.25)]), {}, "float32")
    told = shelf("sd1", "folder") / "tokenizer"
    patched = open_model(ModelChoice(single, lora=(f"{file}:0.5", f"{file}:0.25")))
    found = open_model(ModelChoice(tmp_path / "baked.safetensors", tokenizer=told))
    plain = open_model(ModelChoice(single))
    for stem, network in found.networks().items():
        for name, weight in network.state_dict().items():
            wanted = patched.networks()[stem].state_dict()[name]
            assert (weight - wanted).abs().max() <= 2e-3 * wanted.abs().max(), name  # baked in half precision
    changed = [name for name in lora() if name.endswith("up.weight")]
    assert len(changed) == 2
    key = "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.weight"
    assert not torch.equal(found.predictor.state_dict()[key], plain.predictor.state_dict()[key])


@pytest.mark.parametrize("base", ["sd1", "sdxl", "sd3"])
def test_what_is_taken_out_and_baked_in_is_the_tuned_one(shelf: Shelf, tmp_path: Path, base: Base) -> None:
    after = tuned(tmp_path / "tuned.safetensors", base)
    tensors, notes = taken(after, shelf(base, "single"), 4096)
    file = tmp_path / "it.safetensors"
    write_source(file, in_memory(tensors), notes)
    wanted = open_safetensors(after)
    whole = baked(shelf(base, "folder"), [(file, 1.0)])
    for name in wanted:
        spread = max(1e-3, wanted[name].float().abs().max().item())
        assert (whole[name].float() - wanted[name].float()).abs().max() <= 2e-3 * spread, name
    assert identified(open_safetensors(file)).kind in ("lora", "full")
    stems = {"sd1": "lora_unet_down_blocks_0_", "sdxl": "lora_unet_input_blocks_4_1_"}
    texts = {"sd1": "lora_te_text_model", "sdxl": "lora_te2_"}
    assert ("ss_network_module" in notes) == (base in stems)
    assert any(name.startswith(stems.get(base, "transformer.transformer_blocks.1.attn.to_q.")) for name in tensors)
    assert any(name.startswith(texts.get(base, "text_encoder_2.text_model.")) for name in tensors)


def product(tensors: dict[str, Tensor], stem: str) -> Tensor:
    up, down = (tensors[f"{stem}.lora_{side}.weight"] for side in ("up", "down"))
    return up @ down * tensors[f"{stem}.alpha"] / len(down)


def test_a_smaller_rank_keeps_the_largest_part(tmp_path: Path) -> None:
    file = write_lora(tmp_path / "ink.safetensors", rank=6)
    for rank in (2, 9):
        tensors, notes = resized(file, rank)
        assert notes["ss_network_dim"] == str(rank)
        for stem in {name.partition(".")[0] for name in tensors}:
            before, after = product(lora(rank=6), stem), product(tensors, stem)
            assert tensors[f"{stem}.lora_down.weight"].shape[0] == min(rank, 6)
            lost = torch.linalg.svdvals(before)[rank:].square().sum().sqrt()
            assert torch.linalg.norm(before - after) == pytest.approx(lost.item(), rel=1e-3, abs=1e-2)


def test_what_cannot_be_done_is_told_in_a_line(shelf: Shelf, tmp_path: Path) -> None:
    file, single = write_lora(tmp_path / "ink.safetensors"), shelf("sd1", "single")
    with pytest.raises(InvalidRequest, match="a checkpoint with a U-Net or a transformer; this is a lora"):
        baked(file, [(file, 1.0)])
    with pytest.raises(WeightsError, match=r"ink\.safetensors does not fit: .*q_proj.weight is \(1024, 1024\)"):
        baked(shelf("sd2", "single"), [(file, 1.0)])
    with pytest.raises(WeightsError, match="there is nothing to extract"):
        taken(single, single, 4)
    with pytest.raises(InvalidRequest, match="rank is 0"):
        resized(file, 0)
    with pytest.raises(WeightsError, match="holds no pairs"):
        resized(single, 4)
