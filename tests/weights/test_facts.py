import hashlib
from pathlib import Path

import pytest
import torch

from inkwash.errors import WeightsError
from inkwash.weights.containers.source import in_memory
from inkwash.weights.containers.writing import write_source
from inkwash.weights.facts import facts
from tools.topology import clip, filled, unets

NOTES = {"modelspec.architecture": "stable-diffusion-v1/lora", "ss_network_dim": "4", "thumbnail": "x"}
LORA = {"lora_unet_x_attn2_to_k.lora_down.weight": torch.ones(4, 768), "lora_unet_x_attn2_to_k.alpha": torch.tensor(2)}


def test_a_lora(tmp_path: Path) -> None:
    path = tmp_path / "cat.safetensors"
    write_source(path, in_memory(LORA), NOTES)
    found = facts(path)
    data = path.read_bytes()
    whole = hashlib.sha256(data).hexdigest()
    behind = hashlib.sha256(data[8 + int.from_bytes(data[:8], "little") :]).hexdigest()
    assert found.hashes == {"sha256": whole, "short": whole[:10], "autov3": behind}
    assert (found.identity.kind, found.identity.family, found.title) == ("lora", "sd1", "Stable Diffusion 1")
    assert (found.tensors, found.numbers, found.dtypes) == (2, 3073, {"F32": 1, "I64": 1})
    assert found.notes == {"modelspec.architecture": "stable-diffusion-v1/lora", "ss_network_dim": "4"}
    assert found.other_notes == 1
    assert found.told is None
    assert facts(path, hashed=False).hashes == {}


def test_a_network_and_a_folder(tmp_path: Path) -> None:
    (tmp_path / "unet").mkdir()
    (tmp_path / "text_encoder").mkdir()
    net, words = filled(unets(32, 1)["bk-sdm-tiny"]), filled(clip(768, 1, vocabulary=20))
    write_source(tmp_path / "unet/diffusion_pytorch_model.safetensors", net, {})
    write_source(tmp_path / "text_encoder/model.safetensors", words, {})
    one, whole = facts(tmp_path / "unet"), facts(tmp_path)
    assert (one.identity.kind, one.identity.family) == ("network", "bk-sdm-tiny")
    assert one.told is not None
    assert one.told.prediction == "epsilon"
    assert (whole.identity.kind, whole.container, whole.hashes) == ("checkpoint", "folder", {})
    assert whole.identity.needs() == ("an autoencoder",)
    assert facts(tmp_path, wish="v_prediction").told != whole.told


def test_files_that_are_none_get_a_line(tmp_path: Path) -> None:
    torch.save({}, tmp_path / "x.ckpt")
    with pytest.raises(WeightsError, match=r"x\.ckpt: this is a zip archive or a pickled checkpoint; inkwash convert"):
        facts(tmp_path / "x.ckpt")
