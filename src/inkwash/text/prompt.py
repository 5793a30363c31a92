"""The prompt language: a text becomes a tree of frozen values, and a tree becomes a text again.

(red) (red:1.3) [red]    stronger, as strong as said, weaker; they nest and multiply
[red:blue:0.5]           red for half of the way, then blue; [blue:0.5] comes, [red::0.5] goes; [red:blue:10] by steps
[red|blue]               in turns, a step each
a cat AND a dog :0.5     guidance toward both
BREAK                    what follows is encoded by itself
<lora:ink:0.8>           an adapter by name
# a remark               not painted

A backslash makes a sign plain. The mode `native` means what it looks like; `a1111` repeats what the web UI of that
name does, oddities included; `literal` knows no signs at all.
"""

from decimal import Decimal
from functools import lru_cache

from inkwash.errors import InvalidRequest
from inkwash.text import grammar, quirks
from inkwash.text.remarks import without_remarks
from inkwash.text.tags import tags_taken
from inkwash.text.tree import (
    STRONGER,
    Alternated,
    Break,
    Content,
    Edited,
    Lora,
    Mode,
    Node,
    Part,
    Prompt,
    Text,
    Weighted,
    texts,
)


@lru_cache(maxsize=64)
def parse(text: str, mode: Mode = "native") -> Prompt:
    """The tree of a prompt, in time proportional to its length.

    Raises InvalidRequest for brackets too deep, numbers out of bounds, and tags that no model here can follow.
    """
    if mode == "literal":
        return Prompt((Part(texts(text)),), (), mode)
    words, loras = tags_taken(without_remarks(text, mode), mode)
    return Prompt(grammar.parts(words) if mode == "native" else quirks.parts(words), loras, mode)


def parse_unwanted(text: str, mode: Mode = "native") -> Prompt:
    """The tree of a negative prompt, which is one part and has no adapters; the web UI reads both as text there.

    Raises InvalidRequest as `parse` does, and for AND and adapters.
    """
    if mode == "a1111":
        return Prompt((Part(quirks.schedule(without_remarks(text, mode))),), (), mode)
    prompt = parse(text, mode)
    if len(prompt.parts) > 1 or prompt.loras:
        raise InvalidRequest("negative_prompt", text, "one prompt without adapters: there is one way to go away from")
    return prompt


def render(prompt: Prompt) -> str:
    """A native prompt as text: `parse` gives the same tree again."""
    several = len(prompt.parts) > 1
    parts = [shown(part.content) + (f" :{number(part.weight)}" if several else "") for part in prompt.parts]
    return " AND ".join(parts) + "".join(map(_tag, prompt.loras))


def shown(content: Content) -> str:
    """Content as text that `parse` reads."""
    return "".join(map(_node, content))


def number(value: float) -> str:
    """The shortest decimal without an exponent that is read back as the same number; it has a point."""
    digits = format(Decimal(repr(value)), "f")
    return digits if "." in digits else f"{digits}.0"


def is_plain(text: str) -> bool:
    """Whether a prompt means the same with and without the language."""
    return parse(text, "native").parts == (Part(texts(text)),) and not parse(text, "native").loras


def _node(node: Node) -> str:
    match node:
        case Text():
            return grammar.escaped(node.text)
        case Break():
            return " BREAK "
        case Weighted():
            exact = "" if node.weight == STRONGER else f":{number(node.weight)}"
            return f"({shown(node.content)}{exact})"
        case Edited():
            moment = number(node.when.number)
            moment = moment.partition(".")[0] if node.when.counted else moment
            return f"[{shown(node.before)}:{shown(node.after)}:{moment}]"
        case Alternated():
            return f"[{'|'.join(map(shown, node.choices))}]"


def _tag(lora: Lora) -> str:
    rank = "" if lora.rank is None else f":dyn={lora.rank}"
    return f"<lora:{lora.name}:{number(lora.text)}:{number(lora.image)}{rank}>"
