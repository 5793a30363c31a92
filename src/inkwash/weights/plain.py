"""Frozen dataclasses as plain JSON values, and strictly back: unknown fields and wrong types are refused."""

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from math import isfinite
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from inkwash.errors import InvalidRequest

Kind = TypeVar("Kind")
SCALARS: Mapping[type, str] = {
    int: "a whole number",
    float: "a finite number",
    str: "a text",
    bool: "true or false",
    Path: "a path",
}


def plain(value: object) -> Any:
    """Dataclasses become objects, tuples lists, paths texts; None, numbers and texts stay.

    Groups of options that say nothing new, dataclasses inside dataclasses as they are by default, are left out.
    """
    if is_dataclass(value) and not isinstance(value, type):
        pairs = ((field, getattr(value, field.name)) for field in fields(value))
        return {field.name: plain(each) for field, each in pairs if not (is_dataclass(each) and each == field.default)}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    return value.as_posix() if isinstance(value, Path) else value


def built(kind: type[Kind], value: object, where: str = "") -> Kind:
    """The inverse of `plain`: a `kind` from JSON values; fields that are not there take their defaults.

    Raises InvalidRequest naming the field (`where` stands before it), its value and what is wanted.
    """
    found: Kind = _built(kind, value, where)
    return found


def _built(kind: Any, value: object, where: str) -> Any:
    origin = get_origin(kind)
    if is_dataclass(kind):
        return _record(kind, value, where)
    if origin in (Union, UnionType):
        return _choice(get_args(kind), value, where)
    if origin is Literal:
        return _among(get_args(kind), value, where)
    if origin is tuple:
        return _row(get_args(kind), value, where)
    if origin is Mapping:
        return _table(get_args(kind)[1], value, where)
    return _scalar(kind, value, where)


def _record(kind: Any, value: object, where: str) -> Any:
    if not isinstance(value, Mapping):
        raise InvalidRequest(where or kind.__name__, value, "an object")
    known = {field.name: field for field in fields(kind)}
    for name in value:
        if name not in known:
            raise InvalidRequest(_inside(where, str(name)), value[name], f"left out: {_hint(str(name), known)}")
    for name, field in known.items():
        if name not in value and field.default is MISSING and field.default_factory is MISSING:
            raise InvalidRequest(_inside(where, name), None, "given")
    hints = get_type_hints(kind)
    return kind(**{name: _built(hints[name], each, _inside(where, name)) for name, each in value.items()})


def _choice(kinds: tuple[Any, ...], value: object, where: str) -> Any:
    if value is None and NoneType in kinds:
        return None
    return _built(next(kind for kind in kinds if kind is not NoneType), value, where)


def _among(choices: tuple[object, ...], value: object, where: str) -> object:
    if value not in choices:
        raise InvalidRequest(where, value, f"one of {', '.join(map(str, choices))}")
    return value


def _table(kind: Any, value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidRequest(where, value, "an object")
    return {str(name): _built(kind, each, _inside(where, str(name))) for name, each in value.items()}


def _row(kinds: tuple[Any, ...], value: object, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise InvalidRequest(where, value, "a list")
    if kinds[-1] is not Ellipsis and len(kinds) != len(value):
        raise InvalidRequest(where, value, f"a list of {len(kinds)}")
    each = [kinds[0]] * len(value) if kinds[-1] is Ellipsis else kinds
    return tuple(_built(kind, item, f"{where}[{n}]") for n, (kind, item) in enumerate(zip(each, value, strict=True)))


def _scalar(kind: Any, value: object, where: str) -> Any:
    if kind is Path and isinstance(value, str):
        return Path(value)
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value):
        return float(value)
    if kind in (int, str, bool) and type(value) is kind:
        return value
    raise InvalidRequest(where, value, SCALARS.get(kind, f"a {kind}"))


def _inside(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _hint(name: str, known: Mapping[str, object]) -> str:
    close = get_close_matches(name, known, 1)
    return f"there is no such field, did you mean {close[0]}?" if close else "there is no such field"
