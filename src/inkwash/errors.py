"""Every error a user can meet.

InkwashError
├── InvalidRequest    the caller asked for something impossible     → exit 2, HTTP 422
├── DataError         training data cannot be read                  → exit 2, HTTP 422
├── WeightsError      a checkpoint is broken or does not fit        → exit 3, HTTP 500
├── OutputError       a result cannot be written (disk, overwrite)  → exit 5, HTTP 507
└── Cancelled         somebody pressed stop                         → exit 130
"""

from typing import ClassVar


class InkwashError(Exception):
    """The root: one clear line for the user, never a traceback."""

    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500


class InvalidRequest(InkwashError):
    """A field holds a value that cannot be served; says field, value and what is wanted."""

    exit_code = 2
    http_status = 422

    def __init__(self, field: str, value: object, wanted: str) -> None:
        self.field, self.value, self.wanted = field, value, wanted
        super().__init__(f"{field} is {shown(value)}, but must be {wanted}")


class DataError(InkwashError):
    """Training data that cannot be used; says where and why."""

    exit_code = 2
    http_status = 422


class WeightsError(InkwashError):
    """A checkpoint that is broken, foreign, or does not fit the model."""

    exit_code = 3


class OutputError(InkwashError):
    """A result that cannot be written: the disk is full, or a file would be overwritten."""

    exit_code = 5
    http_status = 507


class Cancelled(InkwashError):
    """Somebody pressed stop."""

    exit_code = 130


def shown(value: object, limit: int = 60) -> str:
    """The value as the user typed it, cut where it would fill the screen."""
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
