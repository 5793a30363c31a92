"""Tokenizers found beside checkpoints, and in the cache."""

from pathlib import Path

import pytest

from inkwash.errors import InvalidRequest, WeightsError
from inkwash.weights.choice import ModelChoice
from inkwash.weights.vocabularies import Vocabularies, snapshots
from tools.checkpoints import KNOWN, PIECES, write_tokenizers


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


@pytest.mark.parametrize("place", ["cats.safetensors.tokenizer", "cats.tokenizer", "."])
def test_beside_a_file(tmp_path: Path, cache: Path, place: str) -> None:
    write_tokenizers(tmp_path / place, "sd3")
    words = Vocabularies(ModelChoice(tmp_path / "cats.safetensors"))
    first, second = words.clip(1, KNOWN, None), words.clip(2, KNOWN, 0)
    assert (first.pad, second.pad) == (first.end, 0)
    assert words.t5(len(PIECES)).machine.get_vocab_size() == len(PIECES)
    assert {"tokenizer/merges.txt", "tokenizer_2/vocab.json", "tokenizer_3/tokenizer.json"} <= words.used.keys()


def test_one_tokenizer_serves_both_towers_and_pads_as_each_wants(tmp_path: Path, cache: Path) -> None:
    write_tokenizers(tmp_path / "words", "sd2")  # which pads with 0
    words = Vocabularies(ModelChoice(tmp_path / "x.safetensors", tokenizer=tmp_path / "words"))
    first, second = words.clip(1, KNOWN, None), words.clip(2, KNOWN, 0)
    assert (first.pad, second.pad) == (first.end, 0)


def test_a_folder_pads_as_it_says(tmp_path: Path, cache: Path) -> None:
    write_tokenizers(tmp_path / "model", "sd2")
    assert Vocabularies(ModelChoice(tmp_path / "model")).clip(1, KNOWN, None).pad == 0


def test_in_the_cache_only_the_very_vocabulary(tmp_path: Path, cache: Path) -> None:
    place = cache / "models--some--body/snapshots/abc"
    write_tokenizers(place, "sd1")
    (cache / "models--a--broken/snapshots/abc/tokenizer").mkdir(parents=True)
    (cache / "models--a--broken/snapshots/abc/tokenizer/merges.txt").write_text("a b c")
    assert len(list(snapshots())) == 2
    words = Vocabularies(ModelChoice(tmp_path / "x.safetensors"))
    assert len(words.clip(1, KNOWN, None)) == KNOWN
    assert words.used["tokenizer/merges.txt"].is_relative_to(place)
    with pytest.raises(InvalidRequest, match=r"x\.safetensors brings no tokenizer, and none is in"):
        Vocabularies(ModelChoice(tmp_path / "x.safetensors")).clip(1, KNOWN + 1, None)
    with pytest.raises(InvalidRequest, match=r"tokenizer_3/spiece\.model, of T5"):
        words.t5(100)


def test_a_vocabulary_for_another_encoder_is_refused(tmp_path: Path, cache: Path) -> None:
    write_tokenizers(tmp_path / "model", "sd1")
    with pytest.raises(WeightsError, match=rf"has {KNOWN} tokens, and the text encoder knows 10"):
        Vocabularies(ModelChoice(tmp_path / "model")).clip(1, 10, None)
