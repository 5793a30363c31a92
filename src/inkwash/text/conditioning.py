"""From prompts to what steers the predictor."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from inkwash.errors import InvalidRequest
from inkwash.text.chunks import Chunk, Embeddings, chunks
from inkwash.text.encoder import TextEncoder
from inkwash.text.timeline import Pieces
from inkwash.text.tokenizer import Tokenizer
from inkwash.text.tree import Weighting
from inkwash.text.weighting import faded, weighted
from inkwash.types import TextStates, joined

MOST_LIGHT = 64
"""Words that may fade in one prompt: for each of them the prompt is encoded once more, without it."""

MOST_ROWS = 1024
"""Rows of tokens of one prompt over all steps."""


@dataclass(frozen=True)
class Manner:
    """How words become states."""

    weighting: Weighting = "a1111"
    clip_skip: int = 1
    """Take the states of the layer so many from the end; a model that skips more by itself goes on doing so."""


@runtime_checkable
class Reader(Protocol):
    """What turns prompts into states: one tower, or several together."""

    @property
    def tokenizer(self) -> Tokenizer: ...  # noqa: D102
    @property
    def encoders(self) -> tuple[nn.Module, ...]: ...  # noqa: D102
    def __call__(self, prompts: Sequence[str], clip_skip: int = 1) -> TextStates: ...  # noqa: D102
    def spoken(self, variants: Sequence[Pieces], manner: Manner) -> list[TextStates]: ...  # noqa: D102
    def forget(self) -> None: ...  # noqa: D102


@dataclass
class Conditioner:
    """Prompts -> TextStates, without gradients; remembers the last `capacity` rows of tokens.

    Every row is encoded alone, so its states are the same bits in whatever company it comes.
    """

    tokenizer: Tokenizer
    encoder: TextEncoder
    capacity: int = 256
    embeddings: Embeddings = field(default_factory=dict)
    """Learned words by their names in lower case."""

    def __post_init__(self) -> None:
        self._known: OrderedDict[tuple[object, ...], TextStates] = OrderedDict()

    @property
    def encoders(self) -> tuple[TextEncoder]:
        """The networks that read: one."""
        return (self.encoder,)

    def __call__(self, prompts: Sequence[str], clip_skip: int = 1) -> TextStates:
        """A text per picture, at least one, without any signs -> its states in the same order, on the encoder's device.

        What is too long for one row loses its tail.
        """
        rows = self.tokenizer.encode(prompts).tolist()
        return stacked([self._states(Chunk(tuple(row), ()), clip_skip) for row in rows])

    def spoken(self, variants: Sequence[Pieces], manner: Manner) -> list[TextStates]:
        """States of what a prompt says at different steps; each has a row of its own, as many tokens as all.

        Variants share one scale where weighting restores the mean: the web UI encodes them together.
        """
        rows = [chunks(pieces, self.tokenizer, self.embeddings) for pieces in variants]
        most = max(map(len, rows))
        if most * len(rows) > MOST_ROWS:
            raise InvalidRequest("prompt", f"{most * len(rows)} rows of tokens", f"short enough for {MOST_ROWS}")
        empty = self._empty(manner)
        columns = []
        for place in range(most):
            column = [row[place] if place < len(row) else None for row in rows]
            columns.append(self._weighted(column, manner, empty))
        whole = [beside([column[row] for column in columns]) for row in range(len(rows))]
        if manner.weighting == "compel":
            return [self._faded(states, pieces, manner) for states, pieces in zip(whole, variants, strict=True)]
        return whole

    def forget(self) -> None:
        """Drop what is remembered: needed after the encoder's weights changed."""
        self._known.clear()

    def _weighted(self, column: Sequence[Chunk | None], manner: Manner, empty: TextStates) -> list[TextStates]:
        raw = [empty if chunk is None else self._states(chunk, manner.clip_skip) for chunk in column]
        plain = [1.0] * self.tokenizer.length
        weights = torch.tensor([plain if chunk is None else chunk.weights for chunk in column])
        together = torch.cat([each.states for each in raw])
        blank = empty.states.expand_as(together)
        done = weighted(together, weights.to(together), manner.weighting, blank)
        return [replace(each, states=states[None]) for each, states in zip(raw, done, strict=True)]

    def _faded(self, whole: TextStates, pieces: Pieces, manner: Manner) -> TextStates:
        light = [place for place, piece in enumerate(pieces) if piece.weight < 1 and piece.text.strip()]
        if len(light) > MOST_LIGHT:
            raise InvalidRequest("prompt", f"{len(light)} words lighter than 1", f"at most {MOST_LIGHT}")
        if not light:
            return whole
        scaled = replace(manner, weighting="comfy")
        rows = self.spoken([pieces[:place] + pieces[place + 1 :] for place in light], scaled)
        blank = self._empty(manner)
        missing = (whole.states.shape[1] - rows[0].states.shape[1]) // self.tokenizer.length
        filled = [beside([row, *[blank] * missing]).states for row in rows]
        return replace(whole, states=faded(whole.states, filled, [pieces[place].weight for place in light]))

    def _empty(self, manner: Manner) -> TextStates:
        (row,) = self.tokenizer.encode([""]).tolist()
        return self._states(Chunk(tuple(row), ()), manner.clip_skip)

    def _states(self, chunk: Chunk, clip_skip: int) -> TextStates:
        key = (chunk.tokens, chunk.learned, clip_skip)
        if key not in self._known:
            self._known[key] = self._encode(chunk, clip_skip)
            if len(self._known) > self.capacity:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return self._known[key]

    @torch.no_grad()
    def _encode(self, chunk: Chunk, clip_skip: int) -> TextStates:
        device = self.encoder.final_layer_norm.weight.device
        skip = max(0, clip_skip - 1 - self.encoder.spec.skip)
        if skip and skip >= self.encoder.spec.layers - self.encoder.spec.skip:
            raise InvalidRequest("clip_skip", clip_skip, f"at most {self.encoder.spec.layers}, the layers there are")
        with learned(self.encoder.embeddings.token_embedding, chunk, self.embeddings):
            return self.encoder(torch.tensor([chunk.tokens], device=device), skip)  # type: ignore[no-any-return]


@contextmanager
def learned(table: nn.Embedding, chunk: Chunk, embeddings: Mapping[str, Tensor]) -> Iterator[None]:
    """While it lasts, the table answers with learned vectors where the chunk has learned words."""

    def replaced(_: nn.Module, __: tuple[Tensor, ...], answer: Tensor) -> Tensor:
        answer = answer.clone()
        for place, name in chunk.learned:
            vectors = embeddings[name].to(answer)
            answer[0, place : place + len(vectors)] = vectors
        return answer

    hook = table.register_forward_hook(replaced) if chunk.learned else None
    try:
        yield
    finally:
        if hook is not None:
            hook.remove()


def stacked(parts: Sequence[TextStates]) -> TextStates:
    """Several batches of states as one, in order."""
    whole, *rest = parts
    for part in rest:
        whole = joined(whole, part)
    return whole


def beside(parts: Sequence[TextStates]) -> TextStates:
    """Chunks of one prompt as one row of tokens; the pooled vector is the first one's."""
    if len(parts) == 1:
        return parts[0]
    keep = [part.keep for part in parts if part.keep is not None]
    states = torch.cat([part.states for part in parts], dim=1)
    return replace(parts[0], states=states, keep=torch.cat(keep, dim=1) if keep else None)


def evened(parts: Sequence[TextStates]) -> list[TextStates]:
    """As many tokens each.  What is added is hidden from the predictor, so no prompt feels a longer one beside it."""
    most = max(part.states.shape[1] for part in parts)
    if all(part.states.shape[1] == most for part in parts):
        return list(parts)
    return [_longer(part, most) for part in parts]


def _longer(part: TextStates, tokens: int) -> TextStates:
    rows, had, width = part.states.shape
    keep = part.states.new_ones(rows, had, dtype=torch.bool) if part.keep is None else part.keep
    states = torch.cat([part.states, part.states.new_zeros(rows, tokens - had, width)], dim=1)
    return replace(part, states=states, keep=torch.cat([keep, keep.new_zeros(rows, tokens - had)], dim=1))
