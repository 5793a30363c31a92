"""What union ControlNets take: kinds of hints by number, under the names that people have for them."""

from collections.abc import Mapping

from inkwash.errors import InvalidRequest

KINDS: tuple[tuple[str, ...], ...] = (
    ("openpose", "pose", "dwpose"),
    ("depth",),
    ("hed", "softedge", "scribble", "sketch", "pidi", "ted"),
    ("canny", "lineart", "anime_lineart", "mlsd"),
    ("normal",),
    ("segment", "segmentation"),
    ("tile",),
    ("repaint", "inpaint", "outpaint"),
)
"""In the order of xinsir's networks; the first has six of them, promax all eight."""
MADE: Mapping[str, str] = {
    "canny": "canny", "lineart": "lineart", "softedge": "softedge", "scribble": "scribble", "depth": "depth",
    "tile": "tile", "blur": "tile",
}  # fmt: skip
"""Preprocessors whose pictures are of one kind."""
MOST = 99


def checked_kind(where: str, said: str) -> None:
    """Raise InvalidRequest for what is neither a name nor a number."""
    if said.isascii() and said.isdecimal() and int(said) <= MOST:
        return
    if not any(said.lower() in names for names in KINDS):
        raise InvalidRequest(where, said, f"one of {taken(len(KINDS))}, by name or number")


def kind_of(said: str | None, preprocessor: str, count: int, where: str = "control.type") -> int:
    """The number of a kind for a network that takes `count` of them; the preprocessor tells it where nobody does.

    Raises InvalidRequest that names what the network takes.
    """
    name = MADE.get(preprocessor) if said is None else said.lower()
    if name is None:
        raise InvalidRequest(where, None, f"given, as preprocessor {preprocessor} does not tell it: {taken(count)}")
    number = int(name) if name.isdecimal() else next(n for n, names in enumerate(KINDS) if name in names)
    if number >= count:
        raise InvalidRequest(where, name, f"what this network takes: {taken(count)}")
    return number


def taken(count: int) -> str:
    """The kinds that a network with so many takes."""
    names = ["/".join(each) for each in KINDS[:count]] + [""] * (min(count, MOST + 1) - len(KINDS))
    return ", ".join(f"{number} {name}".strip() for number, name in enumerate(names))


def said_of(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, str]:
    """What the tensors of a union ControlNet or a control-LoRA say of it: the kinds it takes, or its rank."""
    found = {"takes": taken(kinds[0])} if (kinds := shapes.get("task_embedding")) else {}
    ranks = {shape[0] for name, shape in shapes.items() if name.endswith(".down") and shape}
    return found | ({"rank": str(max(ranks))} if ranks else {})
