import json
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from inkwash.errors import InvalidRequest, WeightsError
from inkwash.text.tokenizer import Tokenizer

CAPTIONS = ["a photo of a cat", "a photo of a beagle dog", "a close-up photo of a Siamese cat"]
TOKENIZER = Tokenizer.train(CAPTIONS, vocabulary=600, length=16)


def pieces(prompt: str, tokenizer: Tokenizer = TOKENIZER) -> list[str]:
    row = tokenizer.encode([prompt])[0].tolist()
    return [tokenizer.machine.id_to_token(token) or "" for token in row]


def inside(prompt: str, tokenizer: Tokenizer = TOKENIZER) -> list[str]:
    found = pieces(prompt, tokenizer)
    return found[1 : found.index("<|endoftext|>")]


def test_a_row_begins_ends_and_is_filled_up() -> None:
    assert pieces("a cat")[:5] == ["<|startoftext|>", "a</w>", "cat</w>", "<|endoftext|>", "<|endoftext|>"]
    assert TOKENIZER.encode(["", "a cat", "a dog"]).shape == (3, 16)
    assert TOKENIZER.encode([]).shape == (0, 16)
    assert TOKENIZER.encode([""])[0].tolist() == [TOKENIZER.begin] + [TOKENIZER.end] * 15


def test_words_of_the_captions_are_single_tokens() -> None:
    assert inside("a photo of a beagle dog") == ["a</w>", "photo</w>", "of</w>", "a</w>", "beagle</w>", "dog</w>"]


def test_case_and_blanks_do_not_matter() -> None:
    assert torch.equal(TOKENIZER.encode(["  A\tPhoto \n of a CAT "]), TOKENIZER.encode(["a photo of a cat"]))


def test_numbers_are_read_digit_by_digit_and_marks_apart() -> None:
    assert inside("close-up, 42!") == ["close</w>", "-</w>", "up</w>", ",</w>", "4</w>", "2</w>", "!</w>"]


def test_byte_pieces_spell_what_no_caption_holds() -> None:
    assert "".join(inside("zebra")) == "zebra</w>"
    assert len(inside("猫")) == 3
    assert inside("猫")[-1].endswith("</w>")


@given(st.text(max_size=40))
def test_every_string_has_tokens_and_none_is_unknown(text: str) -> None:
    row = TOKENIZER.encode([text])[0]
    first_end = row.tolist().index(TOKENIZER.end)
    assert row[0] == TOKENIZER.begin
    assert (row[first_end:] == TOKENIZER.end).all()
    assert (row < len(TOKENIZER)).all()


@given(st.characters(codec="utf-8", categories=["L"]))
def test_letters_of_every_script_keep_all_their_bytes(letter: str) -> None:
    clean = TOKENIZER.machine.normalizer.normalize_str(letter)
    long = Tokenizer(TOKENIZER.machine, length=64)
    joined = "".join(inside(letter, long)).replace("</w>", "")
    assert len(joined) >= len(clean.strip().encode())  # merged pieces spell several bytes


def test_too_long_a_prompt_loses_its_tail_and_keeps_its_end() -> None:
    row = TOKENIZER.encode(["cat " * 100])[0]
    assert len(row) == 16
    assert row[-1] == TOKENIZER.end
    assert (row[:-1] != TOKENIZER.end).all()


def test_the_marks_cannot_be_typed() -> None:
    assert TOKENIZER.encode(["<|endoftext|> cat"])[0].tolist().count(TOKENIZER.end) < 16 - 3


def test_words_know_their_tokens() -> None:
    assert TOKENIZER.words("A close-up  of a 猫, zzz") == [
        ("A", [1]),
        ("close-up", [2, 3, 4]),
        ("of", [5]),
        ("a", [6]),
        ("猫,", [7, 8, 9, 10]),
        ("zzz", [11, 12, 13]),
    ]


def test_words_beyond_the_length_are_left_out() -> None:
    words = TOKENIZER.words("cat " * 30)
    assert len(words) == 14
    assert words[-1] == ("cat", [14])
    assert TOKENIZER.words("  ") == []


def test_a_prompt_fits_as_long_as_it_keeps_its_tail() -> None:
    assert TOKENIZER.fits("cat " * 14)
    assert not TOKENIZER.fits("cat " * 15)
    assert len(TOKENIZER.pieces("cat " * 15)) == 15


def test_learning_is_deterministic_and_bounded() -> None:
    again = Tokenizer.train(CAPTIONS, vocabulary=600, length=16)
    assert again.machine.to_str() == TOKENIZER.machine.to_str()
    assert len(Tokenizer.train(CAPTIONS, vocabulary=520)) == 520
    assert TOKENIZER.end == len(TOKENIZER) - 1


def test_without_room_for_bytes_there_is_no_vocabulary() -> None:
    with pytest.raises(InvalidRequest, match="vocabulary is 100"):
        Tokenizer.train(CAPTIONS, vocabulary=100)


def test_a_file_brings_everything_back(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    TOKENIZER.save(path)
    again = Tokenizer.load(path)
    assert again.length == 16
    assert torch.equal(again.encode(CAPTIONS), TOKENIZER.encode(CAPTIONS))
    padded = Tokenizer(TOKENIZER.machine, 16, padding=0)
    padded.save(path)
    assert Tokenizer.load(path).encode(["a cat"])[0, -1] == 0


def test_a_file_of_clips_own_kind_loads(tmp_path: Path) -> None:
    """The layout that CLIP's tokenizer.json has: its own post-processor, no padding, no truncation."""
    whole = json.loads(TOKENIZER.machine.to_str())
    begin, end = ["<|startoftext|>", TOKENIZER.begin], ["<|endoftext|>", TOKENIZER.end]
    whole["post_processor"] = {
        "type": "RobertaProcessing",
        "sep": end,
        "cls": begin,
        "trim_offsets": False,
        "add_prefix_space": False,
    }
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(whole))
    loaded = Tokenizer.load(path)
    assert loaded.encode(["a cat"]).shape == (1, 77)
    assert torch.equal(loaded.encode(["a cat"])[:, :16], TOKENIZER.encode(["a cat"]))


@pytest.mark.parametrize("content", ["", "{}", '{"model": 3}', "not json"])
def test_a_broken_file_is_one_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(content)
    with pytest.raises(WeightsError, match="is no tokenizer") as caught:
        Tokenizer.load(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_foreign_one_are_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="cannot read"):
        Tokenizer.load(tmp_path / "none.json")
    foreign = json.loads(TOKENIZER.machine.to_str())
    foreign["model"]["vocab"] = {"a": 0, "b": 1}
    foreign["model"].update(merges=[], unk_token=None)
    foreign["post_processor"] = None
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(foreign))
    with pytest.raises(WeightsError, match="lacks"):
        Tokenizer.load(path)
