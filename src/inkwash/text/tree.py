"""What a prompt is made of: frozen values that nest."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from inkwash.errors import InvalidRequest

Mode = Literal["native", "a1111", "literal"]
MODES: tuple[Mode, ...] = get_args(Mode)
Weighting = Literal["a1111", "comfy", "plain", "compel"]
WEIGHTINGS: tuple[Weighting, ...] = get_args(Weighting)
STRONGER, WEAKER = 1.1, 1 / 1.1
"""What round and square brackets multiply by."""
DEEPEST = 64
"""Brackets inside brackets."""
LARGEST = 10_000.0
"""Numbers in a prompt lie between this and its negative."""


@dataclass(frozen=True)
class Text:
    """Words, without signs."""

    text: str


@dataclass(frozen=True)
class Break:
    """What follows is encoded by itself."""


@dataclass(frozen=True)
class Weighted:
    """Content whose weight is multiplied."""

    content: "Content"
    weight: float


@dataclass(frozen=True)
class When:
    """A moment on the way from noise to picture."""

    number: float
    counted: bool
    """A number of steps; otherwise a fraction of them, which above 1 lies in the second pass of two."""

    def step(self, steps: int, before: int = 0, passed: int = 0) -> float:
        """The step of this pass it lies at; `before` steps of `passed` passes are behind."""
        return self.number - before if self.counted else (self.number - passed) * steps


@dataclass(frozen=True)
class Edited:
    """One content up to a moment, another from there."""

    before: "Content"
    after: "Content"
    when: When


@dataclass(frozen=True)
class Alternated:
    """Contents in turns."""

    choices: "tuple[Content, ...]"


Node = Text | Break | Weighted | Edited | Alternated
Content = tuple[Node, ...]


@dataclass(frozen=True)
class Part:
    """One of the prompts that AND joins, and how much it counts."""

    content: Content
    weight: float = 1.0


@dataclass(frozen=True)
class Lora:
    """An adapter asked for by name: how strong in the text encoder, and in the predictor."""

    name: str
    text: float = 1.0
    image: float = 1.0
    rank: int | None = None
    """Cut down to this rank."""


@dataclass(frozen=True)
class Prompt:
    """A whole prompt: what to paint, and what to paint it with."""

    parts: tuple[Part, ...]
    loras: tuple[Lora, ...] = ()
    mode: Mode = "native"


def texts(text: str) -> Content:
    """Text as content: none if there is no text."""
    return (Text(text),) if text else ()


def joined(nodes: Iterable[Node]) -> Content:
    """Neighbouring texts become one, empty ones go."""
    whole: list[Node] = []
    words: list[str] = []
    for node in nodes:
        if isinstance(node, Text):
            words.append(node.text)
        else:
            whole += [*texts("".join(words)), node]
            words = []
    return (*whole, *texts("".join(words)))


def bounded(value: float, text: str) -> float:
    """The number.  Raises InvalidRequest quoting `text` if it is out of bounds, or none."""
    if not -LARGEST <= value <= LARGEST:
        raise InvalidRequest("prompt", text, f"written with numbers from -{LARGEST:g} to {LARGEST:g}")
    return value


def too_deep(text: str) -> InvalidRequest:
    """What to raise for brackets without end."""
    return InvalidRequest("prompt", text, f"written with brackets at most {DEEPEST} deep")
