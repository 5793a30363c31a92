"""The native grammar: every bracket has one meaning, and what has none is text.

Three passes, each linear: the text into signs and words, brackets to their partners, and down the tree.
"""

import re
from dataclasses import dataclass

from inkwash.text.tree import (
    DEEPEST,
    STRONGER,
    WEAKER,
    Alternated,
    Break,
    Content,
    Edited,
    Node,
    Part,
    Text,
    Weighted,
    When,
    bounded,
    joined,
    too_deep,
)

SIGN = re.compile(r"\\(?:[\\()\[\]:|{}<>#_]|AND\b|BREAK\b)|[()\[\]:|]|\b(?:AND|BREAK)\b")
"""A plain sign, a sign, or a word that is one."""
PLAIN = re.compile(r"[\\()\[\]:|{}<>#_]|(?<![^\W_])(?:AND|BREAK)(?![^\W_])")
NUMBER = re.compile(r"\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)\s*", re.ASCII)
MOMENT = re.compile(r"\s*(?:[0-9]+(\.[0-9]*)?|(\.[0-9]+))\s*", re.ASCII)
CLOSING = {")": "(", "]": "["}


@dataclass(frozen=True)
class Scan:
    """A prompt cut into pieces: those at odd places are signs."""

    pieces: tuple[str, ...]
    partners: dict[int, int]
    """Where the bracket that opens at a piece closes."""

    def content(self, start: int, end: int) -> Content:
        """The tree of the pieces from `start` to `end`."""
        nodes: list[Node] = []
        place = start
        while place < end:
            piece = self.pieces[place]
            if place in self.partners:
                nodes += self._group(place, self.partners[place])
                place = self.partners[place]
            elif place % 2 and piece == "BREAK":
                nodes.append(Break())
            else:
                nodes.append(Text(piece[1:] if place % 2 and piece[0] == "\\" else piece))
            place += 1
        return settled(joined(nodes))

    def split(self, start: int, end: int, sign: str) -> list[tuple[int, int]]:
        """The ranges between the signs of a kind, leaving out those inside brackets."""
        ranges, place, since = [], start, start
        while place < end:
            if place in self.partners:
                place = self.partners[place]
            elif place % 2 and self.pieces[place] == sign:
                ranges.append((since, place))
                since = place + 1
            place += 1
        return [*ranges, (since, end)]

    def word(self, start: int, end: int) -> str:
        """The piece, where a range holds no sign."""
        return self.pieces[start] if end - start == 1 else ""

    def weighed(self, start: int, end: int) -> tuple[Content, float] | None:
        """Content and weight, where a colon and a number come last."""
        *rest, last = self.split(start, end, ":")
        written = self.word(*last)
        if not rest or not NUMBER.fullmatch(written):
            return None
        return self.content(start, last[0] - 1), bounded(float(written), f":{written}")

    def _group(self, opening: int, closing: int) -> Content:
        start, end = opening + 1, closing
        if self.pieces[opening] == "(":
            content, weight = self.weighed(start, end) or (self.content(start, end), STRONGER)
            return (Weighted(content, weight),) if content else ()
        choices = self.split(start, end, "|")
        if len(choices) > 1:
            return (Alternated(tuple(self.content(*choice) for choice in choices)),)
        return self._edited(start, end) or self._weaker(start, end)

    def _weaker(self, start: int, end: int) -> Content:
        content = self.content(start, end)
        return (Weighted(content, WEAKER),) if content else ()

    def _edited(self, start: int, end: int) -> Content:
        *rest, last = self.split(start, end, ":")
        written = self.word(*last)
        moment = MOMENT.fullmatch(written)
        if moment is None or not 1 <= len(rest) <= 2:
            return ()
        before = self.content(*rest[0]) if len(rest) == 2 else ()
        number = bounded(float(written), f":{written}")
        return (Edited(before, self.content(*rest[-1]), When(number, counted=not any(moment.groups()))),)


def parts(text: str) -> tuple[Part, ...]:
    """The prompts that AND joins outside all brackets; each may end in a colon and its weight.

    Raises InvalidRequest.
    """
    pieces = scanned(text)
    scan = Scan(pieces, partners(pieces))
    ranges = scan.split(0, len(pieces), "AND")
    if len(ranges) == 1:
        return (Part(scan.content(*ranges[0])),)
    weighed = [scan.weighed(*each) or (scan.content(*each), 1.0) for each in ranges]
    return tuple(Part(stripped(content), weight) for content, weight in weighed)


def scanned(text: str) -> tuple[str, ...]:
    """Words and signs in turns; joined they are the text."""
    pieces, since = [], 0
    for sign in SIGN.finditer(text):
        pieces += [text[since : sign.start()], sign.group()]
        since = sign.end()
    return (*pieces, text[since:])


def partners(pieces: tuple[str, ...]) -> dict[int, int]:
    """Which brackets belong together; those without a partner are left out.  Raises InvalidRequest if too deep."""
    waiting: dict[str, int] = {"(": 0, "[": 0}
    opened: list[int] = []
    found: dict[int, int] = {}
    for place in range(1, len(pieces), 2):
        sign = pieces[place]
        if sign in waiting:
            waiting[sign] += 1
            opened.append(place)
        elif waiting.get(CLOSING.get(sign, ""), 0):
            while pieces[opened[-1]] != CLOSING[sign]:  # what opened in between never closes
                waiting[pieces[opened.pop()]] -= 1
            waiting[CLOSING[sign]] -= 1
            found[opened.pop()] = place
    _shallow(pieces, found)
    return found


def escaped(text: str) -> str:
    """Text that is read as just this text."""
    return PLAIN.sub(lambda sign: f"\\{sign.group()}", text)


def _shallow(pieces: tuple[str, ...], found: dict[int, int]) -> None:
    closing = set(found.values())
    depth = 0
    for place in range(1, len(pieces), 2):
        depth += (place in found) - (place in closing)
        if depth > DEEPEST:
            raise too_deep("".join(pieces[place : place + 40]))


def settled(content: Content) -> Content:
    """Content without blanks around breaks."""
    breaks = [isinstance(node, Break) for node in content]
    if not any(breaks):
        return content
    nodes = list(content)
    for place, node in enumerate(nodes):
        if isinstance(node, Text):
            text = node.text.lstrip() if place and breaks[place - 1] else node.text
            nodes[place] = Text(text.rstrip() if place + 1 < len(nodes) and breaks[place + 1] else text)
    return joined(nodes)


def stripped(content: Content) -> Content:
    """Content without blanks at both ends."""
    nodes = list(content)
    if nodes and isinstance(nodes[0], Text):
        nodes[0] = Text(nodes[0].text.lstrip())
    if nodes and isinstance(nodes[-1], Text):
        nodes[-1] = Text(nodes[-1].text.rstrip())
    return joined(nodes)
