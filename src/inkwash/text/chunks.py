"""A prompt of any length as rows of tokens that the text encoder can read, each encoded by itself."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from jaxtyping import Float
from torch import Tensor

from inkwash.errors import InvalidRequest
from inkwash.text.timeline import Pieces
from inkwash.text.tokenizer import Tokenizer

BACKTRACK = 20
"""Tokens after a comma that may move to the next chunk with what they belong to."""
COMMA = ",</w>"
Vectors = Float[Tensor, "n width"]
Embeddings = Mapping[str, Vectors]
"""Learned words by name: vectors that stand in for tokens (textual inversion, Gal et al. 2022)."""


@dataclass(frozen=True)
class Chunk:
    """A row of tokens, from begin to padding, and their weights."""

    tokens: tuple[int, ...]
    weights: tuple[float, ...]
    learned: tuple[tuple[int, str], ...] = ()
    """Learned words and the places of their first vectors."""


@dataclass
class Filling:
    """Chunks on their way: the last one is open."""

    room: int
    tokens: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    learned: list[tuple[int, str]] = field(default_factory=list)
    comma: int | None = None
    """The place of the last comma."""


def chunks(
    pieces: Pieces, tokenizer: Tokenizer, embeddings: Embeddings, backtrack: int = BACKTRACK
) -> tuple[Chunk, ...]:
    """At least one chunk.  A break ends it, and so does lack of room, if possible at a comma at most `backtrack` back.

    A learned word is never torn apart.  Raises InvalidRequest for one that is longer than a chunk.
    """
    filling, done = Filling(tokenizer.length - 2), []
    comma = tokenizer.machine.token_to_id(COMMA)
    for word in _words(pieces, tokenizer, embeddings):
        if word is None:
            done.append(_closed(filling, tokenizer))
            filling = Filling(filling.room)
            continue
        tokens, weight, name = word
        if tokens == (comma,) and name is None:
            filling.comma = len(filling.tokens)
        elif len(filling.tokens) == filling.room and _near(filling, backtrack):
            filling, moved = _cut(filling)
            done.append(_closed(filling, tokenizer))
            filling = moved
        if len(filling.tokens) + len(tokens) > filling.room:
            done.append(_closed(filling, tokenizer))
            filling = Filling(filling.room)
        if name is not None:
            filling.learned.append((len(filling.tokens) + 1, name))
        filling.tokens += tokens
        filling.weights += [weight] * len(tokens)
    if filling.tokens or not done:
        done.append(_closed(filling, tokenizer))
    return tuple(done)


Word = tuple[tuple[int, ...], float, str | None]


def _words(pieces: Pieces, tokenizer: Tokenizer, embeddings: Embeddings) -> Iterator[Word | None]:
    """Tokens one by one with their weight, learned words as a whole with their name; None for a break."""
    pattern = names_in(embeddings)
    for piece in pieces:
        if piece.is_break:
            yield None
            continue
        for place, text in enumerate([piece.text] if pattern is None else pattern.split(piece.text)):
            if place % 2:
                name = text.lower()
                if len(embeddings[name]) > tokenizer.length - 2:
                    raise InvalidRequest("prompt", name, f"a learned word of at most {tokenizer.length - 2} vectors")
                yield (0,) * len(embeddings[name]), piece.weight, name
            else:
                for token in tokenizer.pieces(text):
                    yield (token,), piece.weight, None


def names_in(embeddings: Collection[str]) -> re.Pattern[str] | None:
    """Learned words as whole words, the longest first; `embedding:` may stand before them."""
    if not embeddings:
        return None
    names = "|".join(re.escape(name) for name in sorted(embeddings, key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:embedding:)?({names})(?!\w)", re.IGNORECASE)


def _near(filling: Filling, backtrack: int) -> bool:
    return filling.comma is not None and len(filling.tokens) - filling.comma <= backtrack


def _cut(filling: Filling) -> tuple[Filling, Filling]:
    """What ends with the last comma, and what follows it."""
    place = (filling.comma or 0) + 1
    before = Filling(filling.room, filling.tokens[:place], filling.weights[:place])
    after = Filling(filling.room, filling.tokens[place:], filling.weights[place:])
    for at, name in filling.learned:
        target, moved = (before, at) if at <= place else (after, at - place)
        target.learned.append((moved, name))
    return before, after


def _closed(filling: Filling, tokenizer: Tokenizer) -> Chunk:
    spare = filling.room - len(filling.tokens)
    return Chunk(
        (tokenizer.begin, *filling.tokens, tokenizer.end, *[tokenizer.pad] * spare),
        (1.0, *filling.weights, 1.0, *[1.0] * spare),
        tuple(filling.learned),
    )
