"""Sampler and spacing as a request calls them -> as inkwash does."""

from inkwash.errors import InvalidRequest
from inkwash.reverse.names import LABELS, found, found_spacing


def named(sampler: str | None, spacing: str | None) -> None:
    """Raise InvalidRequest, listing ours, for names that nobody uses."""
    if sampler is not None:
        try:
            found(sampler)
        except InvalidRequest as error:
            meant = error.wanted.partition(";")[2]
            raise InvalidRequest("sampler", sampler, f"one of {', '.join(LABELS)}{meant and ';' + meant}") from None
    if spacing is not None:
        found_spacing(spacing, "")


def chosen(sampler: str | None, spacing: str | None, own: tuple[str, str]) -> tuple[str, str]:
    """Our names of sampler and spacing; what nobody said is `own`, but a spacing inside a sampler's name counts."""
    asked = found(sampler or own[0])
    if spacing is not None:
        return asked.sampler, found_spacing(spacing, asked.sampler)
    return asked.sampler, asked.spacing or own[1]
