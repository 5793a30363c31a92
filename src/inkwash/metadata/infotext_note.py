"""A key of `parameters` texts: what a request says there, and which fields it sets when it is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from inkwash.metadata.infotext_values import is_true, number
from inkwash.request.fields import value_at
from inkwash.request.generate import GenerateRequest

Written = Callable[[GenerateRequest], str | None]
Read = Callable[[str], Mapping[str, Any]]
NOTHING = GenerateRequest()


@dataclass(frozen=True)
class Switch:
    """A key that says True beside the settings of a group that is on."""

    key: str
    acts: Callable[[GenerateRequest], bool]
    fixed: Mapping[str, str] = field(default_factory=dict)
    """Keys with values that we give, and that a group must have to be one of ours."""


@dataclass(frozen=True)
class Note:
    """A key, what stands there (None: nothing), and which fields it sets: `field` or `group.field`."""

    key: str
    written: Written
    read: Read
    others: tuple[str, ...] = ()
    """What it is called elsewhere; read only."""
    switch: Switch | None = None


def one(
    place: str,
    key: str,
    written: Callable[[Any], str | None] = str,
    read: Callable[[str], Any] = str,
    others: tuple[str, ...] = (),
    switch: Switch | None = None,
) -> Note:
    """A key for one field; what is as it is by default says nothing, unless its group has a switch."""

    def told(request: GenerateRequest) -> str | None:
        value, default = value_at(request, place), value_at(NOTHING, place)
        return None if value is None or (value == default and switch is None) else written(value)

    return Note(key, told, lambda text: {place: read(text)}, others, switch)


def flag(place: str, key: str) -> Note:
    """True or False."""
    return one(place, key, str, is_true)


def real(place: str, key: str, *others: str, switch: Switch | None = None) -> Note:
    """A number."""
    return one(place, key, number, float, others, switch)


def whole(place: str, key: str, *others: str, switch: Switch | None = None) -> Note:
    """A whole number."""
    return one(place, key, str, int, others, switch)


def only(word: str) -> tuple[Callable[[Any], str], Callable[[str], bool]]:
    """A flag that is told by a word."""
    return lambda _: word, lambda text: text == word


def eta(key: str, *, of_ddim: bool) -> Note:
    """The web UI has two, one for DDIM alone."""

    def told(request: GenerateRequest) -> str | None:
        eta = request.way.eta
        return None if eta is None or of_ddim != (request.sampler == "ddim") else number(eta)

    return Note(key, told, lambda text: {"way.eta": float(text)})
