from dataclasses import replace
from pathlib import Path

import pytest
import torch

from inkwash.errors import InvalidRequest, WeightsError
from inkwash.latent.autoencoder import Autoencoder
from inkwash.latent.pixelspace import PixelSpace
from inkwash.latent.spec import TINY as TINY_SPACE
from inkwash.predictor.spec import TINY
from inkwash.predictor.unet import UNet
from inkwash.text.encoder import TextEncoder
from inkwash.training.text import save_text
from inkwash.weights.bundle import load_bundle, save_bundle
from inkwash.weights.files import read, write
from inkwash.weights.manifest import Defaults
from inkwash.weights.pack import pack
from inkwash.weights.parts import read_autoencoder, read_predictor, read_text, write_part

DEFAULTS = Defaults(width=32, height=32, spacing="uniform", guidance=3.0)


@pytest.fixture
def parts(tiny_folder: Path, tmp_path: Path) -> Path:
    """The tiny model as its trainings would leave it."""
    whole = load_bundle(tiny_folder)
    notes = {"images": "64", "target": "v", "schedule": "scaled-linear"}
    write_part(tmp_path / "predictor.safetensors", whole.predictor.state_dict(), TINY, notes)
    write_part(tmp_path / "autoencoder.safetensors", whole.autoencoder.state_dict(), TINY_SPACE)
    save_text(tmp_path, whole.text.tokenizer, whole.text.encoder)
    return tmp_path


def packed(parts: Path, out: Path, defaults: Defaults = DEFAULTS, autoencoder: str | None = "autoencoder") -> None:
    space = None if autoencoder is None else parts / f"{autoencoder}.safetensors"
    save_bundle(out, pack("pets", parts / "predictor.safetensors", space, parts, defaults))


def test_parts_become_a_model(parts: Path, tiny_folder: Path) -> None:
    packed(parts, parts / "pets")
    model, whole = load_bundle(parts / "pets"), load_bundle(tiny_folder)
    assert (model.name, model.target, model.defaults) == ("pets", "v", DEFAULTS)
    assert model.schedule.t(torch.tensor(1.0)) != whole.schedule.t(torch.tensor(1.0))
    for stem, network in whole.networks().items():
        for name, tensor in network.state_dict().items():
            assert torch.equal(model.networks()[stem].state_dict()[name], tensor), name
    prompt = ["a photo of a cat"]
    assert torch.equal(model.text(prompt).states, whole.text(prompt).states)


def test_without_an_autoencoder_the_model_paints_pixels(parts: Path) -> None:
    spec = replace(TINY, channels_in=3, channels_out=3)
    notes = {"target": "flow", "schedule": "flow"}
    write_part(parts / "predictor.safetensors", UNet(spec).state_dict(), spec, notes)
    packed(parts, parts / "pixels", autoencoder=None)
    assert isinstance(load_bundle(parts / "pixels").autoencoder, PixelSpace)


def test_parts_of_different_trainings_are_refused(parts: Path, tiny_folder: Path) -> None:
    other = replace(TINY_SPACE, latent_channels=8)
    write_part(parts / "other.safetensors", Autoencoder(other).state_dict(), other)
    with pytest.raises(InvalidRequest, match=r"autoencoder is .*, but must be of 4 channels as .*not 8"):
        packed(parts, parts / "pets", autoencoder="other")
    with pytest.raises(InvalidRequest, match="autoencoder is 'left out', but must be of 4 channels"):
        packed(parts, parts / "pets", autoencoder=None)
    words = load_bundle(tiny_folder).text
    save_text(parts, words.tokenizer, TextEncoder(replace(words.encoder.spec, width=32)))
    with pytest.raises(InvalidRequest, match=r"text is .*, but must be 16 wide"):
        packed(parts, parts / "pets")
    assert not (parts / "pets").exists()


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"sampler": "magic"}, "sampler is 'magic', but must be one of euler"),
        ({"spacing": "wide"}, "spacing is 'wide', but must be one of"),
        ({"width": 30}, "width is 30, but must be a multiple of 8"),
        ({"steps": 0}, "steps is 0"),
    ],
)
def test_defaults_that_cannot_be_painted_with_are_refused(parts: Path, change: dict[str, str], line: str) -> None:
    with pytest.raises(InvalidRequest, match=line):
        packed(parts, parts / "pets", replace(DEFAULTS, **change))


def test_a_part_in_half_precision_wakes_in_float32(parts: Path) -> None:
    half = {name: weight.half() for name, weight in Autoencoder(TINY_SPACE).state_dict().items()}
    write_part(parts / "half.safetensors", half, TINY_SPACE)
    network = read_autoencoder(parts / "half.safetensors")
    assert {weight.dtype for weight in network.parameters()} == {torch.float32}
    assert not any(weight.requires_grad for weight in network.parameters())


def test_files_that_do_not_say_what_they_are_are_refused(parts: Path) -> None:
    path = parts / "predictor.safetensors"
    kept = read(path)
    for metadata, line in (
        ({}, "does not say which network"),
        ({"spec": "{"}, "its spec is not JSON"),
        ({"spec": '{"wheels": 4}'}, "spec.wheels is 4"),
        ({"spec": kept.metadata["spec"]}, "does not say what it predicts"),
        ({**kept.metadata, "schedule": "spiral"}, "spec.kind is 'spiral', but must be one of flow"),
    ):
        (parts / "spec.json").unlink(missing_ok=True)
        write(path, kept.tensors, metadata, overwrite=True)
        with pytest.raises(WeightsError, match=line):
            read_predictor(path)
    with pytest.raises(WeightsError, match="does not say which network"):
        read_text(parts)
