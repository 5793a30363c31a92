"""Released checkpoints of every family in every form: each paints, and a file paints what its folder paints."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch

import inkwash
from inkwash.errors import InvalidRequest, WeightsError
from inkwash.forward.schedule import DiscreteSchedule, FlowSchedule
from inkwash.latent.tiny_autoencoder import TinyAutoencoder
from inkwash.request.generate import GenerateRequest
from inkwash.text.conditioning import Conditioner
from inkwash.text.towers import ThreeReaders, TwoReaders
from inkwash.weights.bundle import save_bundle
from inkwash.weights.choice import ModelChoice
from inkwash.weights.containers.source import in_memory, open_safetensors
from inkwash.weights.containers.writing import write_source
from inkwash.weights.released import load_released
from inkwash.weights.single import Base
from tools.checkpoints import PIECES, Form, Shelf, whispering, write_tokenizers
from tools.topology import vae

ASKED = GenerateRequest(prompt="a photo of a cat", width=32, height=32, steps=2, seed=1)


@cache
def painted(choice: ModelChoice) -> bytes:
    return inkwash.load(choice, device="cpu").paint(ASKED)[0].tobytes()


@pytest.mark.parametrize(
    ("base", "form", "other"),
    [
        ("sd1", "folder", "single"),
        ("sd1", "sharded", "gguf"),
        ("sd2", "folder", "single"),
        ("sdxl", "sharded", "single"),
        ("refiner", "folder", "single"),
        ("sd3", "sharded", "single"),
    ],
)
def test_a_file_paints_what_its_folder_paints(shelf: Shelf, base: Base, form: Form, other: Form) -> None:
    wish = "v_prediction" if base == "sd2" else None
    first = painted(ModelChoice(shelf(base, form)))
    assert len(set(first)) > 8
    assert painted(ModelChoice(shelf(base, other), prediction=wish)) == first


def test_sd1(shelf: Shelf) -> None:
    bundle = load_released(ModelChoice(shelf("sd1", "single")))
    assert (bundle.target, bundle.name) == ("epsilon", "sd1-single")
    assert isinstance(bundle.text, Conditioner)
    spec = bundle.text.encoder.spec
    assert (spec.activation, spec.skip, spec.normed, spec.projection) == ("quick_gelu", 0, True, 0)
    assert bundle.text.tokenizer.pad == bundle.text.tokenizer.end
    assert bundle.autoencoder.spec.latent_std == (1 / 0.18215,)
    assert isinstance(bundle.schedule, DiscreteSchedule)
    assert bundle.schedule.sigma_max == pytest.approx(14.6146, rel=1e-4)
    chosen = bundle.defaults
    assert (chosen.sampler, chosen.spacing, chosen.steps, chosen.guidance) == ("euler", "leading", 50, 7.5)
    assert not chosen.silence
    assert all(weight.dtype == torch.float32 for net in bundle.networks().values() for weight in net.parameters())
    assert next(iter(bundle.files)) == "sd1-single.safetensors"


def test_sd2(shelf: Shelf) -> None:
    bundle = load_released(ModelChoice(shelf("sd2", "folder")))
    assert bundle.target == "v"
    assert isinstance(bundle.text, Conditioner)
    assert bundle.text.tokenizer.pad == 0
    assert (bundle.text.encoder.spec.activation, bundle.text.encoder.spec.normed) == ("gelu", True)
    assert load_released(ModelChoice(shelf("sd2", "folder"), prediction="epsilon")).target == "epsilon"


def test_sdxl(shelf: Shelf) -> None:
    bundle = load_released(ModelChoice(shelf("sdxl", "single")))
    assert isinstance(bundle.text, TwoReaders)
    first, second = bundle.text.clip_l, bundle.text.clip_g
    assert (first.tokenizer.pad, second.tokenizer.pad) == (first.tokenizer.end, 0)
    assert [(one.encoder.spec.skip, one.encoder.spec.normed) for one in (first, second)] == [(1, False)] * 2
    assert (first.encoder.spec.projection, second.encoder.spec.projection) == (0, 1280)
    assert (bundle.autoencoder.spec.latent_std, bundle.defaults.silence) == ((1 / 0.13025,), True)
    assert set(bundle.networks()) == {"predictor", "autoencoder", "text", "text_2"}


def test_sd3_with_its_long_reader_and_without(shelf: Shelf, tmp_path: Path) -> None:
    bundle = load_released(ModelChoice(shelf("sd3", "single")))
    assert isinstance(bundle.text, ThreeReaders)
    assert bundle.text.t5 is not None
    assert bundle.text.t5.tokenizer.machine.get_vocab_size() == len(PIECES)
    assert isinstance(bundle.schedule, FlowSchedule)
    assert (bundle.schedule.shift, bundle.target, bundle.defaults.spacing) == (3.0, "flow", "sd3")
    assert (bundle.autoencoder.spec.latent_mean, bundle.autoencoder.spec.latent_std) == ((0.0609,), (1 / 1.5305,))
    assert bundle.multiple == 2 * bundle.autoencoder.spec.factor
    whole = open_safetensors(shelf("sd3", "single"))
    short = whole.renamed({name: name for name in whole.slots if "t5xxl" not in name})
    write_source(tmp_path / "short.safetensors", short, {})
    write_tokenizers(tmp_path / "short.tokenizer", "sd3")
    spoken = load_released(ModelChoice(tmp_path / "short.safetensors")).text(["a cat"])
    assert spoken.states.shape == (1, 77 + 256, 4096)
    assert not spoken.states[:, 77:].any()
    assert torch.equal(spoken.states[:, :77], bundle.text(["a cat"]).states[:, :77])


def test_another_autoencoder(shelf: Shelf, tmp_path: Path) -> None:
    single = shelf("sd1", "single")
    write_source(tmp_path / "vae.safetensors", whispering(vae((32, 32)), 77), {})
    other = load_released(ModelChoice(single, vae=tmp_path / "vae.safetensors"))
    assert "vae/vae.safetensors" in other.files
    own = load_released(ModelChoice(single))
    assert other.autoencoder.spec == own.autoencoder.spec
    assert not torch.equal(other.autoencoder.decoder.conv_in.weight, own.autoencoder.decoder.conv_in.weight)
    same = load_released(ModelChoice(single, vae=single)).autoencoder
    assert torch.equal(same.decoder.conv_in.weight, own.autoencoder.decoder.conv_in.weight)


def test_a_tiny_autoencoder_in_two_halves(shelf: Shelf, tmp_path: Path) -> None:
    whole = TinyAutoencoder()
    for half, ahead in (("encoder", 0), ("decoder", 1)):
        state = getattr(whole, half).layers.state_dict()
        own = {f"{int(name.split('.')[0]) + ahead}.{name.partition('.')[2]}": each for name, each in state.items()}
        write_source(tmp_path / f"taesd_{half}.safetensors", in_memory(own), {})
    bundle = load_released(ModelChoice(shelf("sd1", "folder"), vae=tmp_path / "taesd_decoder.safetensors"))
    assert isinstance(bundle.autoencoder, TinyAutoencoder)
    for name, weight in bundle.autoencoder.state_dict().items():
        assert torch.equal(weight, whole.state_dict()[name])
    assert {"vae/taesd_encoder.safetensors", "vae/taesd_decoder.safetensors"} <= bundle.files.keys()
    (tmp_path / "taesd_encoder.safetensors").unlink()
    with pytest.raises(WeightsError, match="is the decoder of a tiny autoencoder; its encoder is not beside it"):
        load_released(ModelChoice(shelf("sd1", "folder"), vae=tmp_path / "taesd_decoder.safetensors"))


def test_a_network_by_itself_borrows_the_rest(shelf: Shelf, tmp_path: Path) -> None:
    bare = open_safetensors(shelf("sd1", "single")).under("model.diffusion_model.")
    write_source(tmp_path / "unet.safetensors", bare, {})
    with pytest.raises(WeightsError, match="lacks an autoencoder and the text encoder CLIP-L; --base names"):
        load_released(ModelChoice(tmp_path / "unet.safetensors"))
    borrowed = ModelChoice(tmp_path / "unet.safetensors", base=shelf("sd1", "folder"))
    assert painted(borrowed) == painted(ModelChoice(shelf("sd1", "folder")))
    with pytest.raises(InvalidRequest, match=r"base is .*, but must be a checkpoint with an autoencoder or text"):
        load_released(replace(borrowed, base=tmp_path / "unet.safetensors"))


def test_a_file_without_a_tokenizer_says_what_it_wants(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "empty"))
    lonely = tmp_path / "lonely.safetensors"
    lonely.symlink_to(shelf("sd1", "single"))
    with pytest.raises(InvalidRequest, match=r"tokenizer is None, but must be a folder with tokenizer\.json, or merg"):
        load_released(ModelChoice(lonely))
    there = shelf("sd1", "folder") / "tokenizer"
    assert "tokenizer/merges.txt" in load_released(ModelChoice(lonely, tokenizer=there)).files
    assert load_released(ModelChoice(lonely, tokenizer=there.parent)).files.keys() >= {"tokenizer/vocab.json"}


def test_what_does_not_paint_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    single = open_safetensors(shelf("sd1", "single"))
    write_source(tmp_path / "vae.safetensors", single.under("first_stage_model."), {})
    with pytest.raises(InvalidRequest, match=r"model is .*, but must be a checkpoint that paints; this is a vae"):
        load_released(ModelChoice(tmp_path / "vae.safetensors"))
    write_source(tmp_path / "unet.safetensors", single.under("model.diffusion_model."), {})
    with pytest.raises(InvalidRequest, match=r"vae is .*, but must be an autoencoder; this is a network"):
        load_released(ModelChoice(shelf("sd1", "single"), vae=tmp_path / "unet.safetensors"))
    with pytest.raises(WeightsError, match=r"the autoencoder has 4 channels, .* wants 16"):
        load_released(ModelChoice(shelf("sd3", "single"), vae=shelf("sd1", "single")))
    with pytest.raises(WeightsError, match="was taught in EDM's units, says the user"):
        load_released(ModelChoice(shelf("sd1", "single"), prediction="edm"))
    name = "model.diffusion_model.out.2.bias"
    short = single.renamed({each: each for each in single.slots if each != name})
    write_source(tmp_path / "short.safetensors", short, {})
    with pytest.raises(WeightsError, match=r"does not fit: missing conv_out\.bias$"):
        load_released(ModelChoice(tmp_path / "short.safetensors"))


def test_such_models_have_no_place_in_a_folder_of_ours(shelf: Shelf, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"has no place in a folder with a model\.json"):
        save_bundle(tmp_path / "x", load_released(ModelChoice(shelf("sdxl", "folder"))))
