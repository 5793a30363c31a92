"""Shapes and types of calls, checked while tests run: what jaxtyping does, in a fraction of its time."""

from collections.abc import Callable
from dataclasses import is_dataclass
from functools import wraps
from inspect import isgeneratorfunction
from typing import Any, ForwardRef, Literal, get_args, get_origin

from beartype import beartype
from jaxtyping import jaxtyped

CALL = jaxtyped("context")
"""Within it, an axis has one size wherever it is named."""


def checked(what: Any) -> Any:
    """A function whose calls raise for arguments or results that are not as annotated; or a class that is made so.

    jaxtyping checks each call twice, in stand-ins that take any arguments apart by hand; beartype's own wrapper checks
    arguments and result in one go. jaxtyping's way is needed where sizes are computed from arguments, as in "{steps}",
    where a hint is a text, which may name what only type checkers import, and where a generator is returned.
    """
    match what:
        case type():
            if is_dataclass(what):
                what.__init__ = checked(what.__init__)  # type: ignore[method-assign]
            return what
        case classmethod() | staticmethod():
            return type(what)(checked(what.__func__))
        case property():
            return property(*(part and checked(part) for part in (what.fget, what.fset, what.fdel)))
    hints = what.__annotations__.values()
    if isgeneratorfunction(what) or any(_named(hint) or "{" in str(hint) for hint in hints):
        return jaxtyped(what, typechecker=beartype)
    return _within(what)


def _named(hint: Any) -> bool:
    """Whether a type is told by its name, alone or within another."""
    if isinstance(hint, str | ForwardRef):
        return True
    return get_origin(hint) is not Literal and any(map(_named, get_args(hint)))


def _within(function: Callable[..., Any]) -> Callable[..., Any]:
    call: Callable[..., Any] | None = None

    @wraps(function)
    def within(*args: Any, **kwargs: Any) -> Any:
        nonlocal call
        call = call or beartype(function)  # not before, since most are never called in one process
        with CALL:
            return call(*args, **kwargs)

    return within
