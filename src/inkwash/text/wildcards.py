"""Prompts with choices in them become prompts without, by a seed.

__animal__              a line of animal.txt; __animals/cats__ looks in a folder, __animals/*__ in all its files
{red|blue}              one of them
{2$$red|blue|green}     two of them, joined by ", "; {1-2$$ and $$red|blue} one or two, joined by " and "
{3::red|blue}           red three times as often

Choices nest, and lines of files may hold choices themselves. A backslash makes a sign plain. The same text, seed and
files always give the same prompt.
"""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from inkwash.errors import InvalidRequest

SIGN = re.compile(r"\\.|[{}|]|__([\w\-./*]{1,200}?)__", re.DOTALL)
COUNT = re.compile(r"\s*(\d{1,3})?(-)?(\d{1,3})?\s*\$\$")
WEIGHT = re.compile(r"\s*(\d{1,6}(?:\.\d{1,6})?|\.\d{1,6})::")
DEEPEST = 32
"""Choices inside choices, lines inside lines."""
LONGEST = 10_000
MOST = 2_000
"""Choices made for one prompt."""
SEPARATOR = ", "
Files = Mapping[str, Sequence[str]]
"""The lines of every wildcard file by its name, without .txt."""


def expanded(text: str, seed: int, files: Files | None = None) -> str:
    """A prompt without choices.

    Raises InvalidRequest for a wildcard that has no file or leads back to itself, and for a prompt that grows too long.
    """
    return Expansion(random.Random(seed), files or {}).text(text, ())


@dataclass
class Expansion:
    """Choices in the making."""

    dice: random.Random
    files: Files
    made: int = 0

    def text(self, text: str, inside: tuple[str, ...]) -> str:
        """`text` without choices; `inside` are the wildcards it came from."""
        found = self._texts(_tree(text), inside)
        if len(found) > LONGEST:
            raise InvalidRequest("prompt", text, f"at most {LONGEST} characters once its choices are made")
        return found

    def _texts(self, nodes: "Sequence[Bit]", inside: tuple[str, ...]) -> str:
        parts, size = [], 0
        for node in nodes:
            parts.append(node if isinstance(node, str) else self._chosen(node, inside))
            size += len(parts[-1])
            if size > LONGEST:
                break
        return "".join(parts)

    def _chosen(self, node: "Wildcard | Choice", inside: tuple[str, ...]) -> str:
        self.made += 1
        if self.made > MOST:
            raise InvalidRequest("prompt", f"{self.made} choices", f"at most {MOST}")
        if isinstance(node, Wildcard):
            return self._line(node.name, inside)
        many = min(self.dice.randint(node.least, node.most), len(node.options))
        left, picked = list(range(len(node.options))), []
        for _ in range(many):
            weights = [node.weights[index] for index in left]
            place = self.dice.choices(range(len(left)), weights if any(weights) else None)[0]
            picked.append(left.pop(place))
        return node.separator.join(self._texts(node.options[index], inside) for index in picked)

    def _line(self, name: str, inside: tuple[str, ...]) -> str:
        names = sorted(known for known in self.files if fnmatchcase(known, name)) if "*" in name else [name]
        lines = [(each, line) for each in names for line in self.files.get(each, ())]
        if not lines:
            raise InvalidRequest("prompt", f"__{name}__", f"the name of a wildcard file with lines{_offer(self.files)}")
        source, line = self.dice.choice(lines)
        if source in inside or len(inside) >= DEEPEST:
            raise InvalidRequest("prompt", f"__{name}__", "a wildcard that does not lead back to itself")
        return self.text(line, (*inside, source))


@dataclass(frozen=True)
class Wildcard:
    """A line of a file."""

    name: str


@dataclass(frozen=True)
class Choice:
    """Some of several options."""

    options: "tuple[tuple[Bit, ...], ...]"
    weights: tuple[float, ...]
    least: int = 1
    most: int = 1
    separator: str = SEPARATOR


Bit = str | Wildcard | Choice


@dataclass
class Level:
    """Braces that are still open: what is in them so far."""

    options: list[list[Bit]]


def _tree(text: str) -> tuple[Bit, ...]:
    """Braces without a partner are text."""
    levels = [Level([[]])]
    since = 0
    for sign in SIGN.finditer(text):
        levels[-1].options[-1].append(text[since : sign.start()])
        since = sign.end()
        _act(levels, sign)
    levels[-1].options[-1].append(text[since:])
    while len(levels) > 1:
        open_level = levels.pop()
        levels[-1].options[-1] += ["{", *_barred(open_level.options)]
    return tuple(levels[0].options[0])


def _act(levels: list[Level], sign: re.Match[str]) -> None:
    written, options = sign.group(), levels[-1].options
    if sign.group(1):
        options[-1].append(Wildcard(sign.group(1)))
    elif written == "{":
        levels.append(Level([[]]))
        if len(levels) > DEEPEST:
            raise InvalidRequest("prompt", sign.string[sign.start() :], f"written with braces at most {DEEPEST} deep")
    elif written == "|" and len(levels) > 1:
        options.append([])
    elif written == "}" and len(levels) > 1:
        closed = levels.pop()
        levels[-1].options[-1] += _choice(closed.options)
    else:
        options[-1].append(written)


def _choice(options: list[list[Bit]]) -> list[Bit]:
    """Braces that offer nothing are text: {a} is {a}."""
    head = options[0][0] if options[0] and isinstance(options[0][0], str) else ""
    count = COUNT.match(head)
    if count is None and len(options) == 1:
        return ["{", *options[0], "}"]
    least = most = 1
    separator = SEPARATOR
    if count is not None:
        least, most = _range(count, len(options))
        head = head[count.end() :]
        if "$$" in head:
            separator, _, head = head.partition("$$")
        options[0][0] = head
    weighed = [_weighed(option) for option in options]
    return [Choice(tuple(tuple(bits) for bits, _ in weighed), tuple(w for _, w in weighed), least, most, separator)]


def _range(count: re.Match[str], options: int) -> tuple[int, int]:
    least, dash, most = count.groups()
    low = int(least) if least else (0 if dash else 1)
    high = int(most) if most else (options if dash else low)
    return min(low, high), max(low, high)


def _weighed(option: list[Bit]) -> tuple[list[Bit], float]:
    weight = WEIGHT.match(option[0]) if option and isinstance(option[0], str) else None
    if weight is None or not isinstance(option[0], str):
        return option, 1.0
    return [option[0][weight.end() :], *option[1:]], float(weight.group(1))


def _barred(options: list[list[Bit]]) -> list[Bit]:
    whole = list(options[0])
    for option in options[1:]:
        whole += ["|", *option]
    return whole


def _offer(files: Files) -> str:
    return f": {', '.join(sorted(files)[:8])}" if files else ", and a folder to look for it"
