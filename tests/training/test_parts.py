"""Parts in files of their own."""

import json
from pathlib import Path

import pytest
import torch

from inkwash.errors import WeightsError
from inkwash.latent.autoencoder import Autoencoder
from inkwash.latent.pixelspace import PixelSpace
from inkwash.latent.spec import TINY
from inkwash.text.conditioning import Conditioner
from inkwash.text.encoder import TextEncoder, TextSpec
from inkwash.text.tokenizer import Tokenizer
from inkwash.training.parts import parts_of
from inkwash.training.text import save_text
from inkwash.weights.files import write
from inkwash.weights.parts import read_autoencoder, read_text, write_part
from inkwash.weights.plain import plain


def conditioner() -> Conditioner:
    tokenizer = Tokenizer.train(["a red square", "a blue square"], 520, 6)
    return Conditioner(tokenizer, TextEncoder(TextSpec(8, 1, 1, 6, len(tokenizer), tokenizer.end)))


def test_an_autoencoder_comes_back(tmp_path: Path) -> None:
    network = Autoencoder(TINY)
    write_part(tmp_path / "a.safetensors", network.state_dict(), TINY)
    again = read_autoencoder(tmp_path / "a.safetensors")
    assert again.spec == TINY
    assert all(torch.equal(weight, again.state_dict()[name]) for name, weight in network.state_dict().items())


def test_a_spec_may_lie_beside_its_weights(tmp_path: Path) -> None:
    write(tmp_path / "a.safetensors", Autoencoder(TINY).state_dict(), {})
    with pytest.raises(WeightsError, match="does not say which network"):
        read_autoencoder(tmp_path / "a.safetensors")
    (tmp_path / "spec.json").write_text(json.dumps(plain(TINY)))
    assert read_autoencoder(tmp_path / "a.safetensors").spec == TINY


def test_a_text_encoder_comes_back(tmp_path: Path) -> None:
    words = conditioner()
    save_text(tmp_path, words.tokenizer, words.encoder)
    again = read_text(tmp_path)
    torch.testing.assert_close(again(["a blue square"]).states, words(["a blue square"]).states)


def test_keys_follow_what_the_caches_hold() -> None:
    space, words = Autoencoder(TINY), conditioner()
    before = parts_of(space, words)
    space.decoder.conv_in.weight.data += 1
    assert parts_of(space, words).space_key == before.space_key  # latents do not care for the decoder
    space.encoder.conv_in.weight.data += 1
    words.encoder.final_layer_norm.weight.data += 1
    after = parts_of(space, words)
    assert after.space_key != before.space_key
    assert after.words_key != before.words_key
    assert parts_of(PixelSpace(), words).space_key != before.space_key
