"""Several readers of one prompt, their states composed as the released predictors were taught to read them.

SDXL        CLIP-L and OpenCLIP-bigG side by side; pooled by the second; and numbers about the wanted picture
its refiner OpenCLIP-bigG alone, and such numbers
SD 3        CLIP-L and OpenCLIP-bigG side by side, zeros up to T5's width, then T5's states as further tokens
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from inkwash.text.conditioning import Conditioner, Manner, stacked
from inkwash.text.released import T5Tokenizer
from inkwash.text.t5 import T5Encoder
from inkwash.text.timeline import Pieces
from inkwash.text.tokenizer import Tokenizer
from inkwash.types import TextStates

Prompts = Sequence[str]


class LongReader:
    """Prompts -> T5's states, without gradients; remembers the last `capacity` of them, each encoded alone."""

    def __init__(self, tokenizer: T5Tokenizer, encoder: T5Encoder, capacity: int = 64) -> None:
        self.tokenizer, self.encoder = tokenizer, encoder
        self._states = lru_cache(capacity)(self._encode)

    def __call__(self, prompts: Prompts) -> TextStates:
        """A prompt per picture, at least one -> its states in the same order, on the encoder's device."""
        return stacked([self._states(tuple(row)) for row in self.tokenizer.encode(prompts).tolist()])

    def forget(self) -> None:
        """Drop what is remembered: needed after the encoder's weights changed or moved."""
        self._states.cache_clear()

    @torch.no_grad()
    def _encode(self, row: tuple[int, ...]) -> TextStates:
        tokens = torch.tensor([row], device=self.encoder.shared.weight.device)
        return self.encoder(tokens)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class TwoReaders:
    """What SDXL reads with. Sizes are not part of a prompt: `predictor.canvas` tells them."""

    clip_l: Conditioner
    clip_g: Conditioner

    @property
    def encoders(self) -> tuple[nn.Module, ...]:
        """The networks that read."""
        return self.clip_l.encoder, self.clip_g.encoder

    @property
    def tokenizer(self) -> Tokenizer:
        """That of the first tower: the second cuts prompts in the same places."""
        return self.clip_l.tokenizer

    def __call__(self, prompts: Prompts, clip_skip: int = 1, *, second: Prompts | None = None) -> TextStates:
        """A prompt per picture; the second tower may be told another one."""
        return side_by_side(self.clip_l(prompts, clip_skip), self.clip_g(second or prompts, clip_skip))

    def spoken(self, variants: Sequence[Pieces], manner: Manner) -> list[TextStates]:
        """What a prompt says at different steps, as `Conditioner.spoken` reads it, by both."""
        both = zip(self.clip_l.spoken(variants, manner), self.clip_g.spoken(variants, manner), strict=True)
        return [side_by_side(first, second) for first, second in both]

    def forget(self) -> None:
        """Drop what is remembered: needed after an encoder's weights changed or moved."""
        self.clip_l.forget()
        self.clip_g.forget()


@dataclass(frozen=True)
class ThreeReaders:
    """What SD 3 reads with."""

    clip_l: Conditioner
    clip_g: Conditioner
    t5: LongReader | None = None
    """None saves its ten gigabytes; prompts are followed less closely."""
    width: int = 4096
    """Of T5's states, also where T5 is missing."""
    absent: int = 256
    """Tokens of zeros that stand for a missing T5."""

    @property
    def encoders(self) -> tuple[nn.Module, ...]:
        """The networks that read."""
        long = () if self.t5 is None else (self.t5.encoder,)
        return self.clip_l.encoder, self.clip_g.encoder, *long

    @property
    def tokenizer(self) -> Tokenizer:
        """That of the first tower: the second cuts prompts in the same places."""
        return self.clip_l.tokenizer

    def __call__(
        self, prompts: Prompts, clip_skip: int = 1, *, second: Prompts | None = None, third: Prompts | None = None
    ) -> TextStates:
        """A prompt per picture; the second and third tower may be told other ones."""
        short = pooled_by_both(self.clip_l(prompts, clip_skip), self.clip_g(second or prompts, clip_skip))
        return self._followed(short, third or prompts)

    def spoken(self, variants: Sequence[Pieces], manner: Manner) -> list[TextStates]:
        """What a prompt says at different steps, as `Conditioner.spoken` reads it; T5 hears words without weights."""
        both = zip(self.clip_l.spoken(variants, manner), self.clip_g.spoken(variants, manner), strict=True)
        said = ["".join(piece.text for piece in pieces) for pieces in variants]
        return [self._followed(pooled_by_both(*pair), [words]) for pair, words in zip(both, said, strict=True)]

    def _followed(self, short: TextStates, prompts: Prompts) -> TextStates:
        long = short.states.new_zeros(len(short), self.absent, self.width)
        return followed_by(short, long if self.t5 is None else self.t5(prompts).states)

    def forget(self) -> None:
        """Drop what is remembered: needed after an encoder's weights changed or moved."""
        for reader in (self.clip_l, self.clip_g, self.t5):
            if reader is not None:
                reader.forget()


def side_by_side(first: TextStates, second: TextStates) -> TextStates:
    """Token for token, both vectors as one; pooled by the second."""
    return TextStates(torch.cat([first.states, second.states], dim=2), second.pooled)


def pooled_by_both(first: TextStates, second: TextStates) -> TextStates:
    """`side_by_side`, and so the pooled vectors."""
    parts = [part.pooled for part in (first, second) if part.pooled is not None]
    return replace(side_by_side(first, second), pooled=torch.cat(parts, dim=1) if parts else None)


def followed_by(short: TextStates, long: Tensor) -> TextStates:
    """`short` widened with zeros to the width of (b, m, width) further tokens, which come behind."""
    wide = pad(short.states, (0, long.shape[2] - short.states.shape[2]))
    return replace(short, states=torch.cat([wide, long.to(wide)], dim=1))


def silence(text: TextStates) -> TextStates:
    """Zeros in place of a prompt: what SDXL steers away from where nothing is unwanted; not the empty prompt."""
    nothing = None if text.pooled is None else torch.zeros_like(text.pooled)
    return replace(text, states=torch.zeros_like(text.states), pooled=nothing)
