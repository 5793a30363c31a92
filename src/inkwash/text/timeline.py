"""What a prompt says at every step: trees become pieces of text with weights, one list per step."""

from collections.abc import Callable
from dataclasses import dataclass

from inkwash.text import quirks
from inkwash.text.tree import Alternated, Break, Content, Edited, Mode, Node, Part, Prompt, Text, Weighted, bounded


@dataclass(frozen=True)
class Piece:
    """Words of one weight; a break has none."""

    text: str
    weight: float = 1.0
    is_break: bool = False


BREAK = Piece("", is_break=True)
Pieces = tuple[Piece, ...]


@dataclass(frozen=True)
class Said:
    """One of the prompts that AND joins, as it is at a step."""

    pieces: Pieces
    weight: float = 1.0


@dataclass(frozen=True)
class Pass:
    """Steps that are counted together: all of them, or the second pass of a picture that is painted in two."""

    steps: int
    before: int = 0
    """Steps of the pass before."""
    number: int = 0
    """Passes before."""


Chooser = Callable[[Edited | Alternated], Content]
"""Which content holds at a moment."""


def timeline(prompt: Prompt, walk: Pass) -> tuple[tuple[Said, ...], ...]:
    """What the prompt says at each step; `a1111` counts calls of the network, of which some samplers make two a step.

    Raises InvalidRequest for weights that multiply out of bounds.
    """
    if not any(changes(part.content) for part in prompt.parts):
        return (tuple(Said(pieces(part.content, prompt.mode), part.weight) for part in prompt.parts),) * walk.steps
    known: dict[tuple[Content, ...], tuple[Said, ...]] = {}
    stops = [ends(part, walk) if prompt.mode == "a1111" else [] for part in prompt.parts]
    moments = []
    for step in range(walk.steps):
        choosers = [
            _odd(walk, next(end for end in each if step <= end)) if each else _even(walk, step) for each in stops
        ]
        contents = tuple(at(part.content, choose) for part, choose in zip(prompt.parts, choosers, strict=True))
        if contents not in known:
            said = zip(contents, prompt.parts, strict=True)
            known[contents] = tuple(Said(pieces(content, prompt.mode), part.weight) for content, part in said)
        moments.append(known[contents])
    return tuple(moments)


def changes(content: Content) -> bool:
    """Whether content differs from step to step."""
    return any(
        isinstance(node, Edited | Alternated) or (isinstance(node, Weighted) and changes(node.content))
        for node in content
    )


def at(content: Content, choose: Chooser) -> Content:
    """Content without editing and alternation: at one moment."""
    nodes: list[Node] = []
    for node in content:
        match node:
            case Edited() | Alternated():
                nodes += at(choose(node), choose)
            case Weighted():
                nodes.append(Weighted(at(node.content, choose), node.weight))
            case Text() | Break():
                nodes.append(node)
    return tuple(nodes)


def pieces(content: Content, mode: Mode) -> Pieces:
    """Content of one moment as pieces; neighbours of one weight are one piece, and there is one at least."""
    if mode == "a1111":
        odd = quirks.emphasis("".join(node.text for node in content if isinstance(node, Text)))
        return tuple(BREAK if each == ("BREAK", quirks.MARK) else Piece(*each) for each in odd)
    found: list[Piece] = []
    for piece in _weighed(content, 1.0):
        if found and not piece.is_break and not found[-1].is_break and found[-1].weight == piece.weight:
            found[-1] = Piece(found[-1].text + piece.text, piece.weight)
        else:
            found.append(piece)
    return tuple(found) or (Piece(""),)


def _weighed(content: Content, weight: float) -> list[Piece]:
    found = []
    for node in content:
        match node:
            case Text():
                found.append(Piece(node.text, weight))
            case Break():
                found.append(BREAK)
            case Weighted():
                found += _weighed(node.content, bounded(weight * node.weight, f":{node.weight:g}"))
            case Edited() | Alternated():
                raise AssertionError(node)
    return found


def _even(walk: Pass, step: int) -> Chooser:
    """Step k of n, from 0: a fraction f holds its first content while k < f n, so for just that part of the way."""

    def choose(node: Edited | Alternated) -> Content:
        if isinstance(node, Alternated):
            return node.choices[step % len(node.choices)]
        return node.before if step < node.when.step(walk.steps, walk.before, walk.number) else node.after

    return choose


def _odd(walk: Pass, step: int) -> Chooser:
    """As the web UI, whose steps count from 1; it looks them up by calls, which count from 0."""

    def choose(node: Edited | Alternated) -> Content:
        if isinstance(node, Alternated):
            return node.choices[(step - 1) % len(node.choices)]
        return node.before if step <= _end(node, walk) else node.after

    return choose


def _end(node: Edited, walk: Pass) -> int:
    return min(walk.steps, int(node.when.step(walk.steps, walk.before, walk.number)))


def ends(part: Part, walk: Pass) -> list[int]:
    """The last steps, from 1, of every text that the web UI makes of a part."""
    found = {walk.steps}
    waiting = list(part.content)
    while waiting:
        match waiting.pop():
            case Edited() as node:
                found |= {_end(node, walk)} if _end(node, walk) >= 1 else set()
                waiting += node.before + node.after
            case Alternated() as node:
                found |= set(range(1, walk.steps + 1))
                waiting += [each for choice in node.choices for each in choice]
            case _:
                pass
    return sorted(found)


def text_at(part: Part, walk: Pass, step: int) -> str:
    """The text that the web UI makes of a part at a step, from 1; signs of weight are still in it."""
    return "".join(node.text for node in at(part.content, _odd(walk, step)) if isinstance(node, Text))
