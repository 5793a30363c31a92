"""Where the tokenizers of a released checkpoint lie: in its folder, beside its file, or in the cache programs share."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from inkwash.errors import InvalidRequest, WeightsError
from inkwash.text.released import T5Tokenizer, clip_tokenizer, t5_tokenizer
from inkwash.text.tokenizer import Tokenizer
from inkwash.weights.choice import ModelChoice

CLIP_FILES = ("tokenizer.json", "merges.txt")
T5_FILES = ("tokenizer.json", "spiece.model")
BESIDE = ("vocab.json", "special_tokens_map.json", "tokenizer_config.json")
SUFFIX = ".tokenizer"
"""A folder called after a checkpoint's file, and this."""


@dataclass(frozen=True)
class Vocabularies:
    """Finds tokenizers, and remembers which files they were."""

    choice: ModelChoice
    used: dict[str, Path] = field(default_factory=dict)
    """By a name for records."""

    def clip(self, tower: int, vocabulary: int, padding: int | None) -> Tokenizer:
        """The tokenizer of the first (1) or second (2) tower, which knows `vocabulary` tokens.

        `padding` is the family's; a model's own folder knows better. Raises InvalidRequest if there is none.
        """
        own = Path(self.choice.model)
        names = ("tokenizer", "tokenizer_2", "") if tower == 1 else ("tokenizer_2", "tokenizer", "")
        for folder, cached in self._folders(names, CLIP_FILES):
            try:
                found = clip_tokenizer(folder)
            except WeightsError:
                if cached:  # another program's model
                    continue
                raise
            if cached and len(found) != vocabulary:
                continue
            if len(found) > vocabulary:
                raise WeightsError(f"{folder} has {len(found)} tokens, and the text encoder knows {vocabulary}")
            if folder.parent != own or folder.name != names[0]:
                found = replace(clip_tokenizer(folder, padding), padding=padding)
            self._use(names[0], folder, CLIP_FILES)
            return found
        raise InvalidRequest("tokenizer", self._said(), self._wanted("tokenizer.json, or merges.txt and vocab.json"))

    def t5(self, vocabulary: int) -> T5Tokenizer:
        """The tokenizer of SD 3's third reader.  Raises InvalidRequest if there is none."""
        for folder, cached in self._folders(("tokenizer_3", "t5"), T5_FILES):
            try:
                found = t5_tokenizer(folder)
            except WeightsError:
                if cached:
                    continue
                raise
            if found.machine.get_vocab_size() <= vocabulary:
                self._use("tokenizer_3", folder, T5_FILES)
                return found
        wanted = self._wanted("tokenizer_3/tokenizer.json or tokenizer_3/spiece.model, of T5")
        raise InvalidRequest("tokenizer", self._said(), wanted)

    def _folders(self, names: Sequence[str], files: Sequence[str]) -> Iterator[tuple[Path, bool]]:
        """Folders with one of `files`, the nearest first, and whether they are the cache's."""
        places = [(place, False) for place in self._near()] + [(place, True) for place in snapshots()]
        for place, cached in places:
            for name in names:
                folder = place / name
                if (name or place != Path(self.choice.model).parent) and any((folder / f).is_file() for f in files):
                    yield folder, cached

    def _near(self) -> Iterator[Path]:
        """Where the user said, then the model itself, then beside it, then the checkpoint that lends."""
        if self.choice.tokenizer is not None:
            yield self.choice.tokenizer
            return
        for given in (self.choice.model, self.choice.base):
            if given is None:
                continue
            path = Path(given)
            if path.is_dir():
                yield path
            yield from (path.with_name(path.name + SUFFIX), path.with_name(path.stem + SUFFIX), path.parent)

    def _use(self, name: str, folder: Path, files: Sequence[str]) -> None:
        first = next(file for file in files if (folder / file).is_file())
        for file in (first, *(BESIDE if first != "spiece.model" else ())):
            if (folder / file).is_file():
                self.used[f"{name}/{file}"] = folder / file

    def _said(self) -> str | None:
        return None if self.choice.tokenizer is None else str(self.choice.tokenizer)

    def _wanted(self, files: str) -> str:
        path = Path(self.choice.model)
        place = path / "tokenizer" if path.is_dir() else path.with_name(path.name + SUFFIX)
        return f"a folder with {files}: {path.name} brings no tokenizer, and none is in {place}"


def snapshots() -> Iterator[Path]:
    """What the Hugging Face cache holds; its place is told by the usual variables."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = Path(os.environ.get("HF_HOME") or caches / "huggingface")
    hub = Path(os.environ.get("HF_HUB_CACHE") or home / "hub")
    yield from sorted(hub.glob("models--*/snapshots/*"))
