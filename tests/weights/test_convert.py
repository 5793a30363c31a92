import json
from pathlib import Path

import numpy as np
import pytest
import torch

from inkwash.errors import InvalidRequest, OutputError, WeightsError
from inkwash.weights.containers.folder import open_folder
from inkwash.weights.containers.opening import open_source
from inkwash.weights.containers.source import Source, in_memory, open_safetensors
from inkwash.weights.containers.writing import write_source
from inkwash.weights.convert import Wishes, convert
from inkwash.weights.single import together
from tools.gguf_writer import gguf
from tools.topology import TINY, Net, clip, differing, filled, mmdit, vae

NET = Net((32, 32, 32), TINY, 768, False, blocks=1).slots()
WORDS = clip(768, 1, vocabulary=20)


def checkpoint(dtype: torch.dtype = torch.float32) -> Source:
    parts = {"unet": filled(NET, 1), "vae": filled(vae((16, 32)), 2), "text_encoder": filled(WORDS, 3)}
    single = together(parts, "sd1")
    return in_memory({name: single[name].to(dtype) for name in single.slots})


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("single") / "model.safetensors"
    write_source(path, checkpoint(), {"modelspec.title": "cats"}, "float16")
    return path


def test_a_file_becomes_a_folder_and_a_file_again(single: Path, tmp_path: Path) -> None:
    done = convert(single, tmp_path / "folder")
    assert done.path == tmp_path / "folder"
    assert done.left == ()
    index = json.loads((tmp_path / "folder/model_index.json").read_text())
    assert index["_class_name"] == "StableDiffusionPipeline"
    assert (tmp_path / "folder/unet/diffusion_pytorch_model.safetensors").is_file()
    assert (tmp_path / "folder/text_encoder/model.safetensors").is_file()
    convert(tmp_path / "folder", tmp_path / "again.safetensors")
    assert list(differing(open_safetensors(tmp_path / "again.safetensors"), open_safetensors(single))) == []
    convert(tmp_path / "again.safetensors", tmp_path / "twice")
    assert list(differing(open_folder(tmp_path / "twice"), open_folder(tmp_path / "folder"))) == []


def test_notes_go_along(single: Path, tmp_path: Path) -> None:
    convert(single, tmp_path / "x.safetensors", Wishes(precision="bfloat16"))
    found = open_safetensors(tmp_path / "x.safetensors")
    assert found.metadata == {"modelspec.title": "cats"}
    assert {slot.dtype for slot in found.slots.values()} == {"BF16"}


@pytest.mark.parametrize("zipped", [True, False])
def test_pickles_become_safetensors(tmp_path: Path, zipped: bool) -> None:
    whole = checkpoint().tensors()
    state = {"state_dict": whole, "global_step": 7, "lr": torch.float16}
    torch.save(state, tmp_path / "x.ckpt", _use_new_zipfile_serialization=zipped)
    convert(tmp_path / "x.ckpt", tmp_path / "x.safetensors")
    assert list(differing(open_safetensors(tmp_path / "x.safetensors"), in_memory(whole))) == []
    convert(tmp_path / "x.ckpt", tmp_path / "folder")
    assert set(open_folder(tmp_path / "folder").under("unet/").slots) == set(NET)


def test_gguf_becomes_safetensors_and_a_language_model_its_own_names(tmp_path: Path) -> None:
    row = np.arange(34, dtype=np.uint8).tobytes()
    (tmp_path / "x.gguf").write_bytes(gguf({"enc.blk.0.attn_q.weight": ("Q8_0", (1, 32), row)}, {"a": "b"}))
    convert(tmp_path / "x.gguf", tmp_path / "x.safetensors", Wishes("float16"))
    found = open_safetensors(tmp_path / "x.safetensors")
    name = "encoder.block.0.layer.0.SelfAttention.q.weight"
    assert found.slots.keys() == {name}
    assert torch.equal(found[name], open_source(tmp_path / "x.gguf")["enc.blk.0.attn_q.weight"].half())


def test_what_was_taught_goes_with_a_folder(single: Path, tmp_path: Path) -> None:
    convert(single, tmp_path / "v", Wishes(prediction="v_prediction"))
    scheduler = json.loads((tmp_path / "v/scheduler/scheduler_config.json").read_text())
    assert scheduler["prediction_type"] == "v_prediction"
    convert(tmp_path / "v", tmp_path / "v.safetensors")
    assert open_safetensors(tmp_path / "v.safetensors").metadata["modelspec.prediction_type"] == "v"


def test_networks_by_themselves_change_their_names(tmp_path: Path) -> None:
    for name, slots in {
        "vae": vae((16, 32)),
        "sd3": mmdit(4, 8, head=16, words=32),
        "text": clip(64, 2, 64, 20),
    }.items():
        write_source(tmp_path / f"{name}.safetensors", filled(slots), {})
        convert(tmp_path / f"{name}.safetensors", tmp_path / f"{name}-ldm.safetensors", Wishes(layout="ldm"))
        old = open_safetensors(tmp_path / f"{name}-ldm.safetensors")
        assert old.slots.keys() != slots.keys()
        convert(tmp_path / f"{name}-ldm.safetensors", tmp_path / f"{name}-back.safetensors", Wishes(layout="diffusers"))
        assert list(differing(open_safetensors(tmp_path / f"{name}-back.safetensors"), filled(slots))) == []


def test_what_nobody_knows_is_told_or_refused(tmp_path: Path) -> None:
    whole = checkpoint().tensors() | {"strange": torch.ones(1), "betas": torch.ones(1000)}
    write_source(tmp_path / "x.safetensors", in_memory(whole), {})
    assert convert(tmp_path / "x.safetensors", tmp_path / "f").left == ("strange",)
    with pytest.raises(WeightsError, match=r"holds what nobody knows: strange$"):
        convert(tmp_path / "x.safetensors", tmp_path / "g", Wishes(strict=True))
    assert not (tmp_path / "g").exists()


def test_requests_that_cannot_be_served(single: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"out is .*, but must be a name that ends in \.safetensors"):
        convert(single, tmp_path / "x.ckpt")
    with pytest.raises(OutputError, match="exists already"):
        convert(single, tmp_path)
    with pytest.raises(InvalidRequest, match="layout is 'ldm', but must be keep: a checkpoint"):
        convert(single, tmp_path / "x.safetensors", Wishes(layout="ldm"))
    write_source(tmp_path / "lora.safetensors", in_memory({"lora_unet_x.lora_down.weight": torch.ones(4, 4)}), {})
    with pytest.raises(WeightsError, match="no model that makes a folder: lora"):
        convert(tmp_path / "lora.safetensors", tmp_path / "f")
    assert not (tmp_path / "f").exists()
