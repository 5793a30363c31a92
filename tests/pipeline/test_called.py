"""Adapters and learned words by their names in prompts."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from inkwash.device import Compute
from inkwash.errors import InvalidRequest, WeightsError
from inkwash.metadata.record import check
from inkwash.pipeline.called import called_loras, called_words
from inkwash.pipeline.engine import Engine
from inkwash.pipeline.painting import Painting
from inkwash.request.generate import GenerateRequest
from inkwash.request.library import Library
from inkwash.weights.choice import ModelChoice
from inkwash.weights.containers.source import in_memory, open_safetensors
from inkwash.weights.containers.writing import write_source
from inkwash.weights.files import file_sha256, tensors_sha256
from inkwash.weights.models import open_model
from tools.checkpoints import Shelf
from tools.helpers import write_lora, write_word

CPU = Compute(torch.device("cpu"), torch.float32)


@pytest.fixture(scope="session")
def sd1(shelf: Shelf) -> Engine:
    return Engine(open_model(ModelChoice(shelf("sd1", "folder"))), CPU)


@pytest.fixture
def asked(tmp_path: Path) -> GenerateRequest:
    write_lora(tmp_path / "loras/deep/ink.safetensors")
    write_lora(tmp_path / "loras/wash.safetensors", seed=12, rank=4)
    write_word(tmp_path / "words/Foxfire.safetensors", {"emb_params": 768})
    library = Library(lora_dir=tmp_path / "loras", embeddings=tmp_path / "words")
    return GenerateRequest(prompt="a cat", width=32, height=32, steps=1, seed=1, library=library)


def last(engine: Engine, asked: GenerateRequest) -> Tensor:
    *_, step = engine.stream(asked)
    return step.x


def weights(engine: Engine) -> dict[str, Tensor]:
    return {
        f"{stem}.{name}": weight.clone()
        for stem, network in engine.bundle.networks().items()
        for name, weight in network.state_dict().items()
    }


def test_a_tag_does_what_the_flag_does_and_leaves_no_trace(sd1: Engine, asked: GenerateRequest, shelf: Shelf) -> None:
    before, plain = weights(sd1), last(sd1, asked)
    ink = replace(asked, prompt="a cat<lora:ink:0.5>", prompt_mode="a1111")
    found = last(sd1, ink)
    for name, weight in weights(sd1).items():
        assert torch.equal(weight, before[name]), name
    assert torch.equal(last(sd1, asked), plain)
    file = asked.library.lora_dir / "deep/ink.safetensors" if asked.library.lora_dir else None
    baked = Engine(open_model(ModelChoice(shelf("sd1", "folder"), lora=(f"{file}:0.5",))), CPU)
    assert torch.equal(found, last(baked, replace(asked, prompt_mode="a1111")))
    assert not torch.allclose(found, plain, atol=1e-3)


def test_strengths_of_words_and_of_the_network_are_told_apart(sd1: Engine, asked: GenerateRequest) -> None:
    tags = (
        "<lora:ink:1>",
        "<lora:ink:1:0>",
        "<lora:ink:0:1>",
        "<lora:ink:te=0:unet=0>",
        "<lora:wash:1:dyn=2>",
        "<lora:wash:1>",
    )
    whole, words, network, nothing, low, full = (last(sd1, replace(asked, prompt=f"a cat{tag}")) for tag in tags)
    assert torch.equal(nothing, last(sd1, replace(asked, prompt="a cat", prompt_mode="native")))
    for one, other in ((whole, words), (whole, network), (words, network), (words, nothing), (low, full)):
        assert not torch.allclose(one, other, atol=1e-3)


def test_pictures_of_other_adapters_are_not_painted_together(sd1: Engine, asked: GenerateRequest) -> None:
    prompts = ("a cat<lora:ink:1>", "a dog <lora:ink:1>", "a cat", "a cat<lora:ink:0.5>", "(a cat:1.1)")
    batches = sd1.batches(replace(asked, prompt=prompt) for prompt in prompts)
    assert [len(batch) for batch in batches] == [2, 1, 1, 1]


def test_dropping_the_steps_half_way_restores_the_weights(sd1: Engine, asked: GenerateRequest) -> None:
    before = weights(sd1)
    steps = sd1.stream(replace(asked, prompt="a cat<lora:ink:1>", steps=3))
    next(steps)
    key = "predictor.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.weight"
    assert not torch.equal(weights(sd1)[key], before[key])
    steps.close()  # type: ignore[attr-defined]
    assert torch.equal(weights(sd1)[key], before[key])


def test_names_that_stand_for_none_or_several_are_refused(sd1: Engine, asked: GenerateRequest, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"'<lora:inc>', but must be the name of a file in --lora-dir or beside the"
                                             r" model; there are ink, wash"):  # fmt: skip
        sd1.batches([replace(asked, prompt="a cat <lora:inc:1>")])
    write_lora(tmp_path / "loras/other/ink.safetensors")
    with pytest.raises(InvalidRequest, match=r"the name of one file; .* have it"):
        called_loras(replace(asked, prompt="<lora:ink:1>"))
    with pytest.raises(InvalidRequest, match=r"lora_dir is .*, but must be a folder$"):
        called_loras(replace(asked, prompt="<lora:ink:1>", library=Library(lora_dir=tmp_path / "nowhere")))
    with pytest.raises(InvalidRequest, match="free of hypernetworks"):
        replace(asked, prompt="<hypernet:x:1>")


def test_the_models_own_folder_is_looked_in(asked: GenerateRequest, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"")
    beside = write_lora(tmp_path / "near.safetensors")
    plain = replace(asked, prompt="<lora:near:1>", model=str(tmp_path / "model.safetensors"), library=Library())
    assert [path for _, path in called_loras(plain)] == [beside]


def test_a_learned_word_is_read_and_forgotten(sd1: Engine, asked: GenerateRequest) -> None:
    called = replace(asked, prompt="a foxfire")
    assert list(called_words(called)) == ["foxfire"]
    assert called_words(replace(called, prompt_mode="literal")) == {}
    assert called_words(replace(asked, prompt="foxfires, a <lora:foxfire:1>")) == {}
    plain, found = last(sd1, replace(called, library=Library())), last(sd1, called)
    assert not torch.allclose(plain, found, atol=1e-3)
    assert torch.equal(last(sd1, replace(called, library=Library())), plain)
    assert torch.equal(last(sd1, replace(called, prompt="a Foxfire")), found)


def test_words_that_travel_with_an_adapter_are_known_while_it_acts(sd1: Engine, asked: GenerateRequest) -> None:
    path = write_lora(Path(str(asked.library.lora_dir)) / "bundle.safetensors")
    tensors = open_safetensors(path).tensors() | {"bundle_emb.foxglove.emb_params": torch.randn(1, 768)}
    path.unlink()
    write_source(path, in_memory(tensors), {})
    tag = "<lora:bundle:te=0:unet=0>"
    known, unknown = (last(sd1, replace(asked, prompt=f"a {word}{tag}")) for word in ("foxglove", "dog"))
    assert torch.equal(unknown, last(sd1, replace(asked, prompt="a dog", prompt_mode="native")))
    assert not torch.allclose(known, last(sd1, replace(asked, prompt="a foxglove", prompt_mode="native")), atol=1e-3)


def test_a_word_learned_elsewhere_is_refused(sd1: Engine, asked: GenerateRequest, tmp_path: Path, shelf: Shelf) -> None:
    both = write_word(tmp_path / "words/both.safetensors", {"clip_l": 768, "clip_g": 1280})
    assert both.is_file()
    with pytest.raises(InvalidRequest, match=r"'both', but must be a word for clip_l, which .*, not clip_g and clip_l"):
        last(sd1, replace(asked, prompt="a both"))
    (tmp_path / "words/bad.safetensors").write_bytes(b"nothing")
    with pytest.raises(WeightsError, match=r"bad\.safetensors: this is not a safetensors file"):
        last(sd1, replace(asked, prompt="a bad"))


def test_two_towers_learn_a_word_together(asked: GenerateRequest, tmp_path: Path, shelf: Shelf) -> None:
    write_word(tmp_path / "words/both.safetensors", {"clip_l": 768, "clip_g": 1280})
    engine = Engine(open_model(ModelChoice(shelf("sdxl", "folder"))), CPU)
    plain, found = (last(engine, replace(asked, prompt=f"a {word}")) for word in ("dog", "both"))
    assert not torch.allclose(plain, found, atol=1e-3)


def test_pictures_tell_what_was_called(sd1: Engine, asked: GenerateRequest, tmp_path: Path) -> None:
    (painting,) = sd1.paint(replace(asked, prompt="a foxfire<lora:ink:0.5>"))
    file, word = tmp_path / "loras/deep/ink.safetensors", tmp_path / "words/Foxfire.safetensors"
    assert f'Lora hashes: "ink: {tensors_sha256(file)[:12]}"' in painting.parameters
    assert f'TI hashes: "Foxfire: {file_sha256(word)[:12]}"' in painting.parameters
    assert painting.record.adapters == {path.as_posix(): file_sha256(path) for path in (file, word)}
    assert_again(sd1, painting)
    write_word(tmp_path / "other.safetensors", {"emb_params": 768}, 5).replace(word)
    with pytest.raises(WeightsError, match=r"it was painted with another .*Foxfire"):
        check(painting.record, sd1.bundle)


def assert_again(engine: Engine, painting: Painting) -> None:
    check(painting.record, engine.bundle)
    (batch,) = engine.batches(painting.record.requests)
    *_, step = engine.steps(batch)
    assert engine.finish(batch, step.x)[0].png() == painting.png()
