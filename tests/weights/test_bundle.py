import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from inkwash.errors import InvalidRequest, OutputError, WeightsError
from inkwash.latent.pixelspace import PixelSpace
from inkwash.weights.bundle import Bundle, load_bundle, save_bundle
from inkwash.weights.files import write


@pytest.fixture
def folder(tiny_folder: Path, tmp_path: Path) -> Path:
    """A bundle that may be spoilt."""
    return Path(shutil.copytree(tiny_folder, tmp_path / "tiny"))


def edited(folder: Path, **changes: object) -> Path:
    path = folder / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return folder


def test_a_bundle_survives_the_disk(tiny_folder: Path, tmp_path: Path) -> None:
    first = load_bundle(tiny_folder)
    save_bundle(tmp_path / "copy", first)
    second = load_bundle(str(tmp_path / "copy"))
    assert (second.name, second.target, second.schedule, second.defaults) == (
        first.name, first.target, first.schedule, first.defaults,
    )  # fmt: skip
    for stem, network in first.networks().items():
        for name, tensor in network.state_dict().items():
            assert torch.equal(second.networks()[stem].state_dict()[name], tensor)


def test_saving_twice_gives_the_same_files(tiny_folder: Path, tmp_path: Path) -> None:
    save_bundle(tmp_path / "copy", load_bundle(tiny_folder))
    for path in tiny_folder.iterdir():
        assert (tmp_path / "copy" / path.name).read_bytes() == path.read_bytes(), path.name


def test_weights_rest_in_half_precision_and_wake_in_float32_without_gradients(tiny_folder: Path) -> None:
    bundle = load_bundle(tiny_folder)
    weights = [weight for network in bundle.networks().values() for weight in network.parameters()]
    assert {weight.dtype for weight in weights} == {torch.float32}
    assert not any(weight.requires_grad for weight in weights)
    assert not any(network.training for network in bundle.networks().values())
    numbers = sum(weight.numel() for weight in weights)
    size = sum(path.stat().st_size for path in tiny_folder.glob("*.safetensors"))
    assert 2 * numbers <= size < 2 * numbers + 40_000


def test_a_bundle_may_live_in_pixel_space(bundle: Bundle, tmp_path: Path) -> None:
    save_bundle(tmp_path / "pixels", replace(bundle, autoencoder=PixelSpace()))
    assert isinstance(load_bundle(tmp_path / "pixels").autoencoder, PixelSpace)


@pytest.fixture
def bundle(tiny_folder: Path) -> Bundle:
    return load_bundle(tiny_folder)


def test_a_model_is_not_replaced_by_accident(tiny_folder: Path, folder: Path) -> None:
    with pytest.raises(OutputError, match="holds a model already"):
        save_bundle(folder, load_bundle(tiny_folder))
    save_bundle(folder, load_bundle(tiny_folder), overwrite=True)


def test_weights_too_large_for_half_precision_are_refused(tiny_folder: Path, tmp_path: Path) -> None:
    bundle = load_bundle(tiny_folder)
    bundle.predictor.conv_in.weight[0, 0, 0, 0] = 1e6
    with pytest.raises(WeightsError, match=r"predictor: conv_in\.weight holds numbers that half"):
        save_bundle(tmp_path / "large", bundle)
    assert not (tmp_path / "large").exists()


def test_an_unknown_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"model is 'cats', but must be .*a folder with a model\.json"):
        load_bundle("cats")


def test_a_cut_file_is_told_from_a_changed_one(folder: Path) -> None:
    path = folder / "text.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    with pytest.raises(WeightsError, match=r"text\.safetensors: it is cut off"):
        load_bundle(folder)
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(WeightsError, match=r"is not the file that model\.json vouches for"):
        load_bundle(folder)
    path.unlink()
    with pytest.raises(WeightsError, match=r"cannot read .*text\.safetensors"):
        load_bundle(folder)


def test_a_foreign_file_lists_what_does_not_fit(folder: Path) -> None:
    from inkwash.weights.files import sha256

    write(folder / "text.safetensors", {"alien": torch.ones(1)}, {}, overwrite=True)
    files = json.loads((folder / "model.json").read_text())["files"]
    files["text.safetensors"] = sha256((folder / "text.safetensors").read_bytes())
    with pytest.raises(WeightsError, match=r"does not fit: missing .* and \d+ more$") as raised:
        load_bundle(edited(folder, files=files))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"flavour": 1}, "flavour is 1, but must be left out"),
        ({"target": "score"}, "target is 'score', but must be one of epsilon, v, x0, flow"),
        ({"schedule": {"kind": "sine"}}, r"schedule\.kind is 'sine'"),
        ({"predictor": {"stages": [{"channels": "32"}]}}, r"predictor\.stages\[0\]\.channels is '32'"),
        ({"files": {"../text.safetensors": "0"}}, "names a file outside its folder"),
        ({"files": {}}, r"vouches for no predictor\.safetensors"),
    ],
)
def test_a_wrong_manifest_is_refused(folder: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(WeightsError, match=message):
        load_bundle(edited(folder, **changes))


def test_a_tokenizer_of_another_model_is_refused(folder: Path) -> None:
    text = json.loads((folder / "model.json").read_text())["text"]
    with pytest.raises(WeightsError, match=r"the text encoder knows \d+ and waits for 5"):
        load_bundle(edited(folder, text=text | {"end": 5}))


def test_a_manifest_that_is_not_json(folder: Path) -> None:
    (folder / "model.json").write_text("{")
    with pytest.raises(WeightsError, match="is not JSON"):
        load_bundle(folder)
