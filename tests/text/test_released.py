"""Tokenizers in the forms in which released folders hold them, with vocabularies of a few words."""

import json
import struct
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer as Machine
from tokenizers import models, pre_tokenizers

from inkwash.errors import WeightsError
from inkwash.text.released import T5Tokenizer, clip_tokenizer, t5_tokenizer
from inkwash.text.tokenizer import Tokenizer

LEARNED = Tokenizer.train(["a photo of a cat", "a photo of two dogs!"], 560, 77)
PROMPTS = ["", "A photo\n of  two CATS!", "don't 猫 ①", "dog " * 100]
PIECES = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -4.0), ("▁a", -1.0), ("▁cat", -2.0), ("s", -3.0)]


def merges_folder(folder: Path, **config: object) -> Path:
    """As diffusers writes `tokenizer/`."""
    model = json.loads(LEARNED.machine.to_str())["model"]
    (folder / "vocab.json").write_text(json.dumps(model["vocab"]))
    lines = ["#version: 0.2", *(" ".join(pair) for pair in model["merges"])]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for name, content in config.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


def whole_folder(folder: Path, padding: str = "<|endoftext|>") -> Path:
    """As transformers writes it: one file, its marks told apart from words."""
    machine = Machine.from_str(LEARNED.machine.to_str())
    machine.add_special_tokens(["<|startoftext|>", "<|endoftext|>", padding])
    number = machine.token_to_id(padding)
    assert number is not None
    machine.enable_padding(length=12, pad_id=number, pad_token=padding)
    machine.enable_truncation(9)
    machine.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"pad_token": padding}))
    return folder


def pieces_folder(folder: Path) -> Path:
    """As T5 was released."""

    def piece(text: str, score: float, kind: int) -> bytes:
        inner = b"\x0a" + bytes([len(text.encode())]) + text.encode() + b"\x15" + struct.pack("<f", score)
        inner += bytes([0x18, kind])
        return b"\x0a" + bytes([len(inner)]) + inner

    kinds = [3, 3, 2] + [1] * len(PIECES)
    (folder / "spiece.model").write_bytes(
        b"".join(piece(*each, kind) for each, kind in zip(PIECES, kinds, strict=False))
    )
    return folder


def test_both_forms_of_clip_are_one_tokenizer(tmp_path: Path) -> None:
    (tmp_path / "merges").mkdir()
    (tmp_path / "whole").mkdir()
    wanted = LEARNED.encode(PROMPTS)
    assert torch.equal(clip_tokenizer(merges_folder(tmp_path / "merges")).encode(PROMPTS), wanted)
    assert torch.equal(clip_tokenizer(whole_folder(tmp_path / "whole")).encode(PROMPTS), wanted)


def test_merges_alone_are_enough(tmp_path: Path) -> None:
    (merges_folder(tmp_path) / "vocab.json").unlink()
    found = clip_tokenizer(tmp_path)
    assert found.machine.get_vocab() == LEARNED.machine.get_vocab()
    assert torch.equal(found.encode(PROMPTS), LEARNED.encode(PROMPTS))


@pytest.mark.parametrize(
    ("config", "pad"),
    [
        ({}, "<|endoftext|>"),
        ({"tokenizer_config": {"pad_token": "<|endoftext|>"}}, "<|endoftext|>"),
        ({"tokenizer_config": {"pad_token": "<|endoftext|>"}, "special_tokens_map": {"pad_token": "!"}}, "!"),
        ({"special_tokens_map": {"pad_token": {"content": "!", "normalized": False}}}, "!"),
        ({"special_tokens_map": {}, "tokenizer_config": {"pad_token": None}}, "<|endoftext|>"),
    ],
)
def test_the_folder_names_its_padding(tmp_path: Path, config: dict[str, object], pad: str) -> None:
    tokenizer = clip_tokenizer(merges_folder(tmp_path, **config))
    number = tokenizer.machine.token_to_id(pad)
    assert tokenizer.encode(["a cat"])[0, 4:].tolist() == [number] * 73
    assert tokenizer.encode(["a cat"])[0, 3] == tokenizer.end


def test_padding_can_be_overruled(tmp_path: Path) -> None:
    assert clip_tokenizer(merges_folder(tmp_path), padding=0).encode([""])[0, 2:].tolist() == [0] * 75


@pytest.mark.parametrize("make", [merges_folder, whole_folder])
def test_a_pad_that_is_a_word_can_still_be_typed(tmp_path: Path, make: object) -> None:
    """Padding with "!" must not turn the "!" of a prompt, which ends a word, into padding."""
    if make is whole_folder:
        whole_folder(tmp_path, "!")
    else:
        merges_folder(tmp_path, special_tokens_map={"pad_token": "!"})
    tokenizer = clip_tokenizer(tmp_path)
    row = tokenizer.encode(["dogs !"])[0].tolist()
    typed, filler = tokenizer.machine.token_to_id("!</w>"), tokenizer.machine.token_to_id("!")
    assert row[row.index(tokenizer.end) - 1] == typed
    assert row[-1] == filler != typed


def test_the_marks_are_marks_where_a_released_vocabulary_has_them(tmp_path: Path) -> None:
    tokenizer = clip_tokenizer(merges_folder(tmp_path))
    assert tokenizer.encode(["<|endoftext|>"])[0, 1] == tokenizer.end


def test_t5_in_pieces(tmp_path: Path) -> None:
    tokenizer = t5_tokenizer(pieces_folder(tmp_path), length=8)
    rows = tokenizer.encode(["a  cats ", "", "a dog", "a " * 20]).tolist()
    assert rows == [[4, 5, 6, 1, 0, 0, 0, 0], [1] + [0] * 7, [4, 3, 2, 1, 0, 0, 0, 0], [4] * 7 + [1]]
    assert (tokenizer.pad, tokenizer.end) == (0, 1)
    assert tokenizer.encode([]).shape == (0, 8)


def test_t5_as_one_file(tmp_path: Path) -> None:
    machine = Machine(models.Unigram(PIECES, 2, byte_fallback=False))
    machine.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    machine.add_special_tokens(["<pad>", "</s>", "<unk>"])
    machine.enable_truncation(3)
    machine.save(str(tmp_path / "tokenizer.json"))
    assert t5_tokenizer(tmp_path, 6).encode(["a cats"]).tolist() == [[4, 5, 6, 1, 0, 0]]
    assert t5_tokenizer(tmp_path).encode(["a cats"]).shape == (1, 256)


def test_t5_can_be_filled_up_no_further_than_needed(tmp_path: Path) -> None:
    tokenizer = T5Tokenizer(t5_tokenizer(pieces_folder(tmp_path)).machine, 10, least=3)
    assert tokenizer.encode(["a"]).tolist() == [[4, 1, 0]]
    assert tokenizer.encode(["a", "a a a a"]).tolist() == [[4, 1, 0, 0, 0], [4, 4, 4, 4, 1]]
    assert tokenizer.encode(["a " * 30]).shape == (1, 10)


BROKEN = {
    "nothing": ({}, "cannot read"),
    "no merges": ({"vocab.json": "{}"}, "cannot read"),
    "merges of nothing": ({"merges.txt": "cat dog"}, "are no tokenizer"),
    "not JSON": ({"vocab.json": "{", "merges.txt": ""}, "is not JSON"),
    "a list": ({"vocab.json": "[]", "merges.txt": ""}, "holds no object"),
    "not a pair": ({"vocab.json": "{}", "merges.txt": "a b c"}, "'a b c', which is not a pair"),
    "unknown merge": ({"vocab.json": '{"a": 0}', "merges.txt": "a b"}, "are no tokenizer"),
    "not numbers": ({"vocab.json": '{"a": "b"}', "merges.txt": ""}, "are no tokenizer"),
    "no marks": ({"vocab.json": '{"a": 0}', "merges.txt": ""}, "lacks <|startoftext|>"),
    "another file": ({"tokenizer.json": '{"model": 3}'}, "is no tokenizer"),
    "marks of another kind": ({"tokenizer.json": '{"added_tokens": [3]}'}, "is no tokenizer"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_clip_folder_is_one_line(tmp_path: Path, name: str) -> None:
    files, wanted = BROKEN[name]
    for file, content in files.items():
        (tmp_path / file).write_text(content)
    with pytest.raises(WeightsError, match=wanted.replace("|", r"\|")) as caught:
        clip_tokenizer(tmp_path)
    assert "\n" not in str(caught.value)


def test_bytes_are_not_text(tmp_path: Path) -> None:
    (tmp_path / "merges.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(WeightsError, match="is not text"):
        clip_tokenizer(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\x0a\x05", b"\x0b"])
def test_a_broken_t5_folder_is_one_line(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(WeightsError, match="cannot read"):
        t5_tokenizer(tmp_path)
    (tmp_path / "spiece.model").write_bytes(content)
    with pytest.raises(WeightsError, match="is no tokenizer") as caught:
        t5_tokenizer(tmp_path)
    assert "\n" not in str(caught.value)


def test_clips_folder_is_not_t5s(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="lacks <pad>"):
        t5_tokenizer(whole_folder(tmp_path))
