"""Tokenizers as they lie in the folders of released models, CLIP's and T5's."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Int
from tokenizers import Tokenizer as Machine
from tokenizers import models, normalizers, pre_tokenizers
from torch import Tensor

from inkwash.errors import WeightsError
from inkwash.text.sentencepiece import parsed
from inkwash.text.tokenizer import BEGIN, END, Tokenizer, byte_pairs, machine_of, vocabulary_of

T5_PAD, T5_END = "<pad>", "</s>"


@dataclass(frozen=True)
class T5Tokenizer:
    """Prompts -> tokens: the words, the end, and padding; there is no token to begin with."""

    machine: Machine
    length: int = 256
    """Tokens per prompt, the end included; what is too long loses its tail."""
    least: int | None = None
    """Fill up to this many tokens only, or to the longest prompt of a call; None fills up to `length`."""

    def encode(self, prompts: Sequence[str]) -> Int[Tensor, "b tokens"]:
        """(b, tokens), padding behind the end."""
        rows = [self._row(prompt) for prompt in prompts]
        wide = self.length if self.least is None else max([self.least, *map(len, rows)])
        filled = [row + [self.pad] * (wide - len(row)) for row in rows]
        return torch.tensor(filled, dtype=torch.long).reshape(len(rows), wide)

    @property
    def end(self) -> int:
        """The token every prompt ends with."""
        return self._special(T5_END)

    @property
    def pad(self) -> int:
        """The token that fills a prompt up."""
        return self._special(T5_PAD)

    def _row(self, prompt: str) -> list[int]:
        return [*self.machine.encode(prompt, add_special_tokens=False).ids[: self.length - 1], self.end]

    def _special(self, mark: str) -> int:
        number = self.machine.token_to_id(mark)
        assert number is not None, mark  # noqa: S101  t5_tokenizer sees to it
        return number


def clip_tokenizer(folder: Path, padding: int | None = None) -> Tokenizer:
    """CLIP's tokenizer from `tokenizer.json`, or else from `merges.txt` and `vocab.json`; 77 tokens.

    Merges alone are enough: CLIP numbers its tokens in the order of their birth.
    `padding` overrules the pad token that the folder names: 0 for SD 2 and for the second tower of SDXL and SD 3.
    Raises WeightsError if a file is missing, broken, or of another kind.
    """
    mark = _pad_mark(folder)
    whole = folder / "tokenizer.json"
    machine = _machine(whole, mark) if whole.is_file() else _from_merges(folder)
    for wanted in (BEGIN, END):
        if machine.token_to_id(wanted) is None:
            raise WeightsError(f"{folder} holds no tokenizer of CLIP's kind: it lacks {wanted}")
    if padding is None and mark not in (None, END):
        padding = machine.token_to_id(str(mark))
    return Tokenizer(machine, 77, padding)


def t5_tokenizer(folder: Path, length: int = 256, least: int | None = None) -> T5Tokenizer:
    """T5's tokenizer from `tokenizer.json`, or else from `spiece.model`.

    Raises WeightsError if a file is missing, broken, or of another kind.
    """
    whole = folder / "tokenizer.json"
    machine = _machine(whole, None) if whole.is_file() else _from_pieces(folder / "spiece.model")
    for wanted in (T5_PAD, T5_END):
        if machine.token_to_id(wanted) is None:
            raise WeightsError(f"{folder} holds no tokenizer of T5's kind: it lacks {wanted}")
    return T5Tokenizer(machine, length, least)


def _machine(path: Path, padding: str | None) -> Machine:
    """A `tokenizer.json`, in which a pad token that is a word, such as "!", can be typed again."""
    content = _json(path)
    try:
        if padding != END:
            marks = content.get("added_tokens", [])
            content["added_tokens"] = [mark for mark in marks if mark["content"] != padding]
        machine = Machine.from_str(json.dumps(content))
    except Exception as error:  # noqa: BLE001  the library raises nothing narrower
        raise WeightsError(f"{path} is no tokenizer: {_line(error)}") from None
    machine.no_padding()
    machine.no_truncation()
    return machine


def _from_merges(folder: Path) -> Machine:
    lines = _text(folder / "merges.txt").splitlines()
    pairs = [tuple(line.split()) for line in lines if line.strip() and not line.startswith("#version")]
    if wrong := next((pair for pair in pairs if len(pair) != 2), None):
        raise WeightsError(f"{folder / 'merges.txt'} holds {' '.join(wrong)!r}, which is not a pair")
    merges = [(left, right) for left, right in pairs]
    beside = folder / "vocab.json"
    known = _json(beside) if beside.is_file() else vocabulary_of(merges)
    try:
        model = byte_pairs(known, merges)
    except Exception as error:  # noqa: BLE001  the library raises nothing narrower
        raise WeightsError(f"{folder}: merges.txt and vocab.json are no tokenizer: {_line(error)}") from None
    machine = machine_of(model)
    machine.add_special_tokens([mark for mark in (BEGIN, END) if mark in known])
    return machine


def _from_pieces(path: Path) -> Machine:
    try:
        found = parsed(path.read_bytes())
        machine = Machine(models.Unigram(list(found.scores), found.unknown, byte_fallback=False))
        if found.charsmap:
            machine.normalizer = normalizers.Precompiled(found.charsmap)
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror}") from None
    except Exception as error:  # noqa: BLE001  the library raises nothing narrower
        raise WeightsError(f"{path} is no tokenizer: {_line(error)}") from None
    blanks = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    machine.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), blanks])
    return machine


def _pad_mark(folder: Path) -> str | None:
    """The text of the pad token: what special_tokens_map.json says goes before tokenizer_config.json."""
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        if (folder / name).is_file():
            mark = _json(folder / name).get("pad_token")
            mark = mark.get("content") if isinstance(mark, dict) else mark
            if isinstance(mark, str):
                return mark
    return None


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{path} is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise WeightsError(f"{path} is no tokenizer: it holds no object")
    return content


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise WeightsError(f"{path} is not text") from None


def _line(error: Exception) -> str:
    """The first line of what a library says."""
    return (str(error).splitlines() or [type(error).__name__])[0]
