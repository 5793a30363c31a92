"""The grammar of AUTOMATIC1111's web UI 1.10, repeated with its oddities so that its prompts paint what they did.

There a prompt is read three times: AND cuts it, then editing and alternation turn a part into a plain text for every
step, and only that text is read for weights. So brackets of weights may begin in one alternative and end outside it.
A part that does not parse as a whole is taken as it stands. docs/guides/prompts.md lists what differs from ours.
"""

import re
from dataclasses import dataclass, field

from inkwash.errors import InvalidRequest
from inkwash.text.tree import (
    DEEPEST,
    STRONGER,
    WEAKER,
    Alternated,
    Content,
    Edited,
    Node,
    Part,
    Text,
    When,
    bounded,
    joined,
    texts,
    too_deep,
)

AND = re.compile(r"\bAND\b")
WEIGHT = re.compile(r"\s*([-+]?(?:\d+\.?|\d*\.\d+))\s*")
PIECE = re.compile(r"(?:[^\\\[\]():|]|\\.)+|[\[\]():|]|\\")
MOMENT = re.compile(r"\s*([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*")
EMPHASIS = re.compile(r"\\[()\[\]\\]?|[(\[]|:\s*([+-]?[.\d]+)\s*\)|[)\]]|[^\\()\[\]:]+|:")
BREAK = re.compile(r"\bBREAK\b")
MARK = -1.0  # the weight that tells a break from the word


@dataclass
class Frame:
    """A bracket that is still open, and what stands in it between colons and bars."""

    bracket: str = ""
    segments: list[list[Node]] = field(default_factory=lambda: [[]])
    separators: str = ""
    depth: int = 0
    """Of the editing inside."""
    barred: bool = False
    """Holds a bar that separates nothing."""

    def literally(self) -> list[Node]:
        """Everything as it was typed, up to here."""
        nodes: list[Node] = [Text(self.bracket), *self.segments[0]]
        for separator, segment in zip(self.separators, self.segments[1:], strict=True):
            nodes += [Text(separator), *segment]
        return nodes


def parts(text: str) -> tuple[Part, ...]:
    """The prompts that AND joins wherever it stands.  Raises InvalidRequest for brackets too deep."""
    return tuple(_part(each) for each in AND.split(text))


def emphasis(text: str) -> list[tuple[str, float]]:
    """A text of one step as pieces and weights; a break is the piece "BREAK" with the weight -1.

    Raises InvalidRequest for more than 64 open brackets and for what is no number where one stands.
    """
    found: list[list[str | float]] = []
    opened: dict[str, list[int]] = {"(": [], "[": []}
    for match in EMPHASIS.finditer(text):
        sign, weight = match.group(), match.group(1)
        if sign[0] == "\\":
            found.append([sign[1:], 1.0])
        elif sign in opened:
            opened[sign].append(len(found))
            if len(opened[sign]) > DEEPEST:
                raise too_deep(text[match.start() :])
        elif weight is not None and opened["("]:
            _multiply(found, opened["("].pop(), _number(weight, sign))
        elif sign == ")" and opened["("]:
            _multiply(found, opened["("].pop(), STRONGER)
        elif sign == "]" and opened["["]:
            _multiply(found, opened["["].pop(), WEAKER)
        else:
            found += _pieces(sign)
    for bracket, factor in (("(", STRONGER), ("[", WEAKER)):
        for start in opened[bracket]:
            _multiply(found, start, factor)
    return _merged(found)


def _part(text: str) -> Part:
    head, colon, tail = text.rpartition(":")
    number = WEIGHT.fullmatch(tail) if colon else None
    if number is None:
        return Part(schedule(text.rstrip()))
    return Part(schedule(head.rstrip()), bounded(float(number.group(1)), f":{tail}"))


def schedule(text: str) -> Content:
    """Editing and alternation as nodes, all else as text, signs of weight included."""
    frames = [Frame()]
    for match in PIECE.finditer(text):
        piece, frame = match.group(), frames[-1]
        if piece in ("(", "["):
            frames.append(Frame(piece))
        elif piece in (")", "]"):
            _close(frames, piece)
        elif piece in (":", "|"):
            frame.separators += piece
            frame.segments.append([])
        elif piece == "\\":
            return texts(text)
        else:
            frame.segments[-1].append(Text(piece))
    _flatten(frames)
    barred = frames[0].barred or "|" in frames[0].separators
    return texts(text) if barred else joined(frames[0].literally())


def _close(frames: list[Frame], closing: str) -> None:
    frame = frames[-1]
    inside = _inside(frame, closing)
    if inside is None:
        _flatten(frames)
        frames[0].segments[-1].append(Text(closing))
        return
    frames.pop()
    frames[-1].segments[-1] += inside
    frames[-1].depth = max(frames[-1].depth, frame.depth)


def _inside(frame: Frame, closing: str) -> list[Node] | None:
    """What a closed bracket becomes; None if it does not parse."""
    bars, colons = frame.separators.count("|"), frame.separators.count(":")
    if (frame.bracket, closing) == ("(", ")") and not bars and colons < 2:
        return [*frame.literally(), Text(closing)]
    if (frame.bracket, closing) != ("[", "]") or (bars and colons):
        return None
    if not bars and not colons:
        return [*frame.literally(), Text(closing)]
    contents = [joined(segment) for segment in frame.segments]
    frame.depth += 1
    if frame.depth > DEEPEST:
        raise too_deep("".join(node.text for node in frame.literally() if isinstance(node, Text)))
    if bars:
        return [Alternated(tuple(contents))]
    *edited, last = contents
    moment = MOMENT.fullmatch(last[0].text) if len(last) == 1 and isinstance(last[0], Text) else None
    if moment is None or colons > 2:
        return None
    when = When(bounded(float(moment.group(1)), moment.group()), counted="." not in moment.group(1))
    return [Edited(edited[0] if colons == 2 else (), edited[-1], when)]


def _flatten(frames: list[Frame]) -> None:
    """Brackets that are still open have no partners: they and all in them are text."""
    root = frames[0]
    for frame in frames[1:]:
        root.segments[-1] += frame.literally()
        root.barred |= "|" in frame.separators
    del frames[1:]


def _pieces(text: str) -> list[list[str | float]]:
    found: list[list[str | float]] = []
    since = 0
    for mark in BREAK.finditer(text):
        found += [[_between(text[since : mark.start()], since > 0, True), 1.0], ["BREAK", MARK]]
        since = mark.end()
    return [*found, [_between(text[since:], since > 0, False), 1.0]]


def _between(text: str, after: bool, before: bool) -> str:
    """Without the blanks next to a break."""
    text = text.lstrip() if after else text
    return text.rstrip() if before else text


def _multiply(found: list[list[str | float]], start: int, factor: float) -> None:
    for piece in found[start:]:
        piece[1] = float(piece[1]) * factor


def _number(text: str, shown: str) -> float:
    try:
        return bounded(float(text), shown)
    except ValueError:
        raise InvalidRequest("prompt", shown, "written with a number after the colon") from None


def _merged(found: list[list[str | float]]) -> list[tuple[str, float]]:
    """Neighbours of one weight as one piece."""
    whole: list[tuple[list[str], float]] = []
    for text, weight in found:
        if whole and whole[-1][1] == weight:
            whole[-1][0].append(str(text))
        else:
            whole.append(([str(text)], float(weight)))
    return [("".join(words), bounded(weight, words[0])) for words, weight in whole] or [("", 1.0)]
