import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from inkwash.errors import InvalidRequest, WeightsError
from inkwash.weights.containers.folder import open_folder
from inkwash.weights.containers.opening import open_source, pickled


def put(path: Path, **tensors: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: torch.tensor(value) for name, value in tensors.items()}, path)


def model(folder: Path) -> Path:
    put(folder / "unet/diffusion_pytorch_model.safetensors", a=1.0)
    put(folder / "unet/diffusion_pytorch_model.fp16.safetensors", a=2.0)
    put(folder / "vae/diffusion_pytorch_model.fp16.safetensors", b=3.0)
    put(folder / "text_encoder/model.safetensors", c=4.0)
    (folder / "scheduler").mkdir()
    (folder / "scheduler/scheduler_config.json").write_text('{"prediction_type": "v_prediction"}')
    (folder / "model_index.json").write_text("{}")
    return folder


def test_parts_stand_before_names_and_plain_files_come_first(tmp_path: Path) -> None:
    source = open_folder(model(tmp_path))
    assert {name: float(tensor) for name, tensor in source.tensors().items()} == {
        "unet/a": 1.0, "vae/b": 3.0, "text_encoder/c": 4.0,
    }  # fmt: skip
    assert "v_prediction" in source.metadata["scheduler/scheduler_config.json"]
    assert (source.container, len(source.files)) == ("folder", 3)


def test_one_part_by_itself_and_a_variant(tmp_path: Path) -> None:
    model(tmp_path)
    assert open_source(tmp_path / "unet")["a"] == 1
    assert open_folder(tmp_path / "unet", "fp16")["a"] == 2
    with pytest.raises(
        InvalidRequest, match=r"variant is 'ema', but must be one of the plain one, fp16|fp16, the plain one"
    ):
        open_folder(tmp_path / "unet", "ema")


@pytest.mark.parametrize(
    ("stem", "index"),
    [
        ("diffusion_pytorch_model-0000{}-of-00002", "diffusion_pytorch_model.safetensors.index.json"),
        ("model-0000{}-of-00002", "model.safetensors.index.json"),
        ("model.fp16-0000{}-of-00002", "model.safetensors.index.fp16.json"),
    ],
)
def test_shards(tmp_path: Path, stem: str, index: str) -> None:
    names = [f"{stem.format(number)}.safetensors" for number in (1, 2)]
    put(tmp_path / names[0], a=1.0)
    put(tmp_path / names[1], b=2.0)
    assert len(open_folder(tmp_path)) == 2
    table = {"weight_map": {"a": names[0], "b": names[1]}}
    (tmp_path / index).write_text(json.dumps(table))
    assert open_folder(tmp_path)["b"] == 2
    (tmp_path / index).write_text(json.dumps({"weight_map": {"a": names[0]}}))
    with pytest.raises(WeightsError, match="differ in 1 tensors, 'b' first"):
        open_folder(tmp_path)
    (tmp_path / index).write_text(json.dumps({"weight_map": {"a": "../../x", "b": names[1]}}))
    with pytest.raises(WeightsError, match=r"files that are not there: \.\./\.\./x"):
        open_folder(tmp_path)
    for broken in ("[", "[]", '{"weight_map": 3}'):
        (tmp_path / index).write_text(broken)
        with pytest.raises(WeightsError, match=r"not JSON|not an object|no weight_map"):
            open_folder(tmp_path)
    (tmp_path / index).unlink()
    (tmp_path / names[0]).unlink()
    with pytest.raises(WeightsError, match="1 of 2 shards"):
        open_folder(tmp_path)


def test_folders_without_weights_get_a_line(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"holds no safetensors$"):
        open_folder(tmp_path)
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet/diffusion_pytorch_model.bin").write_bytes(b"PK")
    with pytest.raises(WeightsError, match="pickles in it are read one by one by inkwash convert"):
        open_folder(tmp_path)
    with pytest.raises(WeightsError, match="is no folder"):
        open_folder(tmp_path / "nowhere")


def test_files_are_known_by_what_they_hold(tmp_path: Path) -> None:
    put(tmp_path / "x.gguf", a=1.0)
    assert open_source(tmp_path / "x.gguf").container == "safetensors"
    torch.save({}, tmp_path / "y.safetensors")
    assert pickled(tmp_path / "y.safetensors")
    assert not pickled(tmp_path / "x.gguf")
    with pytest.raises(WeightsError, match=r"cannot read .*nowhere"):
        open_source(tmp_path / "nowhere")
