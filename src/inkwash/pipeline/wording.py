"""What every picture of a batch is told at every step: prompts become states, and states a denoiser."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

import torch
from jaxtyping import Float
from torch import Tensor

from inkwash.denoiser import Denoiser, in_turns
from inkwash.errors import InvalidRequest
from inkwash.request.generate import GenerateRequest
from inkwash.text.conditioning import MOST_ROWS, Manner, Reader, evened, stacked
from inkwash.text.prompt import parse, parse_unwanted
from inkwash.text.timeline import Pass, Pieces, Said, timeline
from inkwash.text.tokenizer import Tokenizer
from inkwash.text.tree import Mode
from inkwash.types import Sigma, Sigmas, TextStates

TWO_CALLS = frozenset({"heun", "dpm2", "dpm2_ancestral", "dpmpp_sde", "dpmpp_2s_ancestral", "restart"})
"""Samplers that ask the network twice a step: the web UI counts the calls."""


@dataclass(frozen=True)
class Told:
    """What one picture is told at a moment: every prompt that AND joins, its weight, and what is not wanted."""

    wanted: tuple[tuple[TextStates, float], ...]
    unwanted: TextStates

    @property
    def is_simple(self) -> bool:
        """One prompt, followed as it is."""
        return [weight for _, weight in self.wanted] == [1.0]


@dataclass(frozen=True)
class Voice:
    """What one picture is told on its way: a few different moments, and which of them holds at each tick."""

    moments: tuple[Told, ...]
    ticks: tuple[int, ...]

    def at(self, tick: int) -> int:
        """The moment that holds; the last one goes on."""
        return self.ticks[min(tick, len(self.ticks) - 1)]


def worded(
    requests: Sequence[GenerateRequest], text: Reader, sigmas: Sigmas, guide: "Guide", before: int = 0
) -> Denoiser:
    """The denoiser of a batch: `guide` makes one of what all pictures are told, anew whenever that changes.

    The prompts of a batch are read in one mode: `native` by noise level, `a1111` by calls of the network.  A second
    pass comes after `before` steps.
    """
    steps = len(sigmas) - 1
    voices = [voice(asked, text, steps, before) for asked in requests]
    tick = calls() if mode_of(requests[0]) == "a1111" else levels(sigmas)
    made: dict[tuple[int, ...], Denoiser] = {}

    def at(sigma: Sigma) -> Denoiser:
        now = tick(sigma)
        moment = tuple(each.at(now) for each in voices)
        if moment not in made:
            made.clear()  # what was said before seldom comes again, and its states take room
            made[moment] = guide([each.moments[index] for each, index in zip(voices, moment, strict=True)])
        return made[moment]

    if all(len(each.moments) == 1 for each in voices):
        return at(sigmas[0])
    return in_turns(at)


Column = tuple[TextStates, Float[Tensor, " b"]]


def columns(told: Sequence[Told]) -> list[Column]:
    """The k-th prompt of every picture and its weight, and at last what is not wanted; all of one length.

    A picture of fewer prompts has its first one again, with the weight 0.
    """
    most = max(len(each.wanted) for each in told)
    filled = [[*each.wanted, *[(each.wanted[0][0], 0.0)] * (most - len(each.wanted))] for each in told]
    rows = [[*row, (each.unwanted, 1.0)] for row, each in zip(filled, told, strict=True)]
    even = iter(evened([states for row in rows for states, _ in row]))
    long = [[(next(even), weight) for _, weight in row] for row in rows]
    return [
        (stacked([states for states, _ in column]), torch.tensor([weight for _, weight in column]))
        for column in zip(*long, strict=True)
    ]


Guide = Callable[[Sequence[Told]], Denoiser]
Clock = Callable[[Sigma], int]


def levels(sigmas: Sigmas) -> Clock:
    """The step that a noise level belongs to: the k-th goes from just above level k + 1 up to level k."""
    inner = sigmas[1:-1].tolist()

    def tick(sigma: Sigma) -> int:
        level = sigma.max().item() * (1 - 1e-5)
        return sum(each >= level for each in inner)

    return tick


def calls() -> Clock:
    """How often it was asked before."""
    counter = count()
    return lambda _: next(counter)


def voice(asked: GenerateRequest, text: Reader, steps: int, before: int = 0) -> Voice:
    """The way of one picture through `steps` steps.  Raises InvalidRequest for what its prompts cannot mean."""
    mode = mode_of(asked)
    if mode == "literal":
        skip = asked.clip_skip or 1
        said = Told(((text([asked.prompt], skip), 1.0),), text([asked.negative_prompt or ""], skip))
        return Voice((said,), (0,))
    wanted = parse(asked.prompt, mode)
    walk = _walk(asked, steps, before)
    unwanted = parse_unwanted(asked.negative_prompt or "", mode)
    lines = [*zip(*timeline(wanted, walk), strict=True), *zip(*timeline(unwanted, walk), strict=True)]
    known = [_states(line, text, asked) for line in lines]
    order: dict[tuple[Said, ...], int] = {}
    ticks = tuple(order.setdefault(said, len(order)) for said in zip(*lines, strict=True))
    return Voice(tuple(_told(said, known) for said in order), ticks)


def words_of(asked: GenerateRequest, tokenizer: Tokenizer) -> list[tuple[str, list[int]]]:
    """Words and the places of their tokens, as `Tokenizer.words` tells them.

    None where what is said changes on the way, or where several prompts share the places.
    """
    if mode_of(asked) == "literal":
        return tokenizer.words(asked.prompt)
    moments = set(timeline(parse(asked.prompt, mode_of(asked)), Pass(asked.steps or 1)))
    pieces = [piece for moment in moments for said in moment for piece in said.pieces]
    text = "".join(piece.text for piece in pieces)
    tokens = [token for piece in pieces for token in tokenizer.pieces(piece.text)]
    one = (
        len(moments) == 1 and all(len(moment) == 1 for moment in moments) and not any(each.is_break for each in pieces)
    )
    return tokenizer.words(text) if one and tokens == tokenizer.pieces(text) and tokenizer.fits(text) else []


def mode_of(asked: GenerateRequest) -> Mode:
    """How a request's prompts are read; native unless it says otherwise."""
    return asked.prompt_mode or "native"


def _walk(asked: GenerateRequest, steps: int, before: int) -> Pass:
    """The web UI counts calls, and all steps even where it walks but the last of them."""
    number = 1 if before else 0
    if mode_of(asked) == "native":
        return Pass(steps, before, number)
    return Pass((asked.steps or steps) * (2 if asked.sampler in TWO_CALLS else 1), before, number)


def _states(line: Sequence[Said], text: Reader, asked: GenerateRequest) -> dict[Pieces, TextStates]:
    """States of everything that is said in one place."""
    different = list(dict.fromkeys(said.pieces for said in line))
    manner = Manner(asked.weighting or "a1111", asked.clip_skip or 1)
    if mode_of(asked) == "a1111":
        return dict(zip(different, text.spoken(different, manner), strict=True))
    found: dict[Pieces, TextStates] = {}
    rows = 0
    for pieces in different:
        (found[pieces],) = text.spoken([pieces], manner)
        rows += found[pieces].states.shape[1] // text.tokenizer.length
        if rows > MOST_ROWS:
            raise InvalidRequest("prompt", asked.prompt, f"short enough for {MOST_ROWS} rows of tokens over all steps")
    return found


def _told(said: Sequence[Said], known: Sequence[dict[Pieces, TextStates]]) -> Told:
    states = [table[each.pieces] for each, table in zip(said, known, strict=True)]
    wanted = zip(states[:-1], said[:-1], strict=True)
    return Told(tuple((state, each.weight) for state, each in wanted), states[-1])
