"""Words become numbers: byte pairs that meet often merge.  (Sennrich et al. 2016; CLIP: Radford et al. 2021, 2.4)

Text is lower-cased and its blanks cleaned; the smallest piece is a byte, so every string in every script has tokens.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Int
from tokenizers import Regex, models, normalizers, pre_tokenizers, processors, trainers
from tokenizers import Tokenizer as Machine
from torch import Tensor

from inkwash.errors import InvalidRequest, WeightsError
from inkwash.files import atomic

BEGIN, END = "<|startoftext|>", "<|endoftext|>"
WORD_END = "</w>"
PIECES = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


@dataclass(frozen=True)
class Tokenizer:
    """Prompts -> a fixed number of tokens each: begin, the words, end, and padding."""

    machine: Machine
    length: int = 77
    """Tokens per prompt, begin and end included."""
    padding: int | None = None
    """The token that fills up; None repeats the end, as SD 1 does (SD 2 pads with 0)."""

    @classmethod
    def load(cls, path: Path, length: int | None = None) -> "Tokenizer":
        """Read a `tokenizer.json`, ours or CLIP's; `length` where the file names none is 77.

        Raises WeightsError if the file is missing, broken, or of another kind.
        """
        try:
            machine = Machine.from_str(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise WeightsError(f"cannot read {path}: {error.strerror}") from None
        except Exception as error:  # noqa: BLE001  the library raises nothing narrower
            raise WeightsError(f"{path} is no tokenizer: {error}") from None
        if None in (machine.token_to_id(BEGIN), machine.token_to_id(END)):
            raise WeightsError(f"{path} is no tokenizer of CLIP's kind: it lacks {BEGIN} or {END}")
        padding = machine.padding or {}
        machine.no_padding()
        machine.no_truncation()
        return cls(machine, length or padding.get("length") or 77, padding.get("pad_id"))

    @classmethod
    def train(cls, captions: Iterable[str], vocabulary: int = 2048, length: int = 32) -> "Tokenizer":
        """Learn the merges of `captions`; at most `vocabulary` tokens, 514 of which are bytes, begin and end."""
        if vocabulary < len(_bytes()) + 2:
            raise InvalidRequest("vocabulary", vocabulary, f"at least {len(_bytes()) + 2}")
        learner = machine_of(models.BPE(end_of_word_suffix=WORD_END))
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        wanted = vocabulary - len(_bytes()) - 2
        trainer = trainers.BpeTrainer(  # its alphabet holds fewer word ends than ours, so this learns merges enough
            vocab_size=vocabulary, initial_alphabet=alphabet, end_of_word_suffix=WORD_END, show_progress=False
        )
        learner.train_from_iterator(captions, trainer)
        merges = _merges(learner)[:wanted]
        return cls(machine_of(byte_pairs(vocabulary_of(merges), merges)), length)

    def save(self, path: Path) -> None:
        """Write `tokenizer.json`, length and padding included; replaces the file."""
        whole = Machine.from_str(self.machine.to_str())
        whole.enable_padding(length=self.length, pad_id=self.pad, pad_token=whole.id_to_token(self.pad))
        with atomic(path, overwrite=True) as part:
            part.write_text(whole.to_str(), encoding="utf-8")

    def encode(self, prompts: Sequence[str]) -> Int[Tensor, "b tokens"]:
        """(b, length) tokens; what is too long loses its tail, never its end token."""
        rows = [self._row(prompt) for prompt in prompts]
        return torch.tensor(rows, dtype=torch.long).reshape(len(rows), self.length)

    def fits(self, prompt: str) -> bool:
        """Whether a prompt keeps its tail."""
        return len(self.pieces(prompt)) <= self.length - 2

    def pieces(self, prompt: str) -> list[int]:
        """The tokens of a prompt, however many, without begin, end and padding."""
        return self.machine.encode(prompt, add_special_tokens=False).ids

    def words(self, prompt: str) -> list[tuple[str, list[int]]]:
        """Each word between blanks with the positions of its tokens; words beyond the length are left out."""
        spans = self.machine.encode(prompt, add_special_tokens=False).offsets[: self.length - 2]
        found = []
        for word in re.finditer(r"\S+", prompt):
            places = [1 + n for n, (start, end) in enumerate(spans) if start < word.end() and end > word.start()]
            if places:
                found.append((word.group(), places))
        return found

    @property
    def begin(self) -> int:
        """The token every prompt starts with."""
        return self._special(BEGIN)

    @property
    def end(self) -> int:
        """The token every prompt ends with."""
        return self._special(END)

    @property
    def pad(self) -> int:
        """The token that fills a prompt up."""
        return self.end if self.padding is None else self.padding

    def __len__(self) -> int:
        return self.machine.get_vocab_size()

    def _special(self, mark: str) -> int:
        number = self.machine.token_to_id(mark)
        assert number is not None, mark  # noqa: S101  load and train see to it
        return number

    def _row(self, prompt: str) -> list[int]:
        ids = self.pieces(prompt)[: self.length - 2]
        return [self.begin, *ids, self.end] + [self.pad] * (self.length - 2 - len(ids))


def vocabulary_of(merges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """The tokens that merges make, in CLIP's order: bytes, bytes that end a word, merged pieces, begin and end."""
    pieces = [*_bytes(), *dict.fromkeys(left + right for left, right in merges), BEGIN, END]
    return {piece: index for index, piece in enumerate(pieces)}


def byte_pairs(known: dict[str, int], merges: Sequence[tuple[str, str]]) -> models.BPE:
    """Tokens and merges as a model."""
    return models.BPE(known, list(merges), end_of_word_suffix=WORD_END, unk_token=END)


def machine_of(model: models.BPE) -> Machine:
    """A byte-pair model with CLIP's cleaning and cutting of text around it."""
    machine = Machine(model)
    machine.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    machine.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PIECES), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    if machine.token_to_id(END) is not None:
        machine.post_processor = processors.TemplateProcessing(
            single=f"{BEGIN} $A {END}", special_tokens=[(mark, machine.token_to_id(mark)) for mark in (BEGIN, END)]
        )
    return machine


def _bytes() -> list[str]:
    """Every byte, inside a word and at its end."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    return alphabet + [piece + WORD_END for piece in alphabet]


def _merges(machine: Machine) -> list[tuple[str, str]]:
    return [(left, right) for left, right in json.loads(machine.to_str())["model"]["merges"]]
