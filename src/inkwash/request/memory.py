"""The memory that painting takes, and how it gets by with less."""

from dataclasses import dataclass, fields

from inkwash.request.limits import flag


@dataclass(frozen=True, kw_only=True)
class Memory:
    """How to get by with less memory.  None: as the free memory wants it."""

    tiled: bool | None = None
    """Pictures become latents and latents pictures in overlapping tiles; pixels differ a little."""
    in_turn: bool | None = None
    """The wanted and the unwanted guess are asked for one after the other, and not at once."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None:
                flag(f"memory.{field.name}", value)


PLENTY = Memory()
"""As the free memory wants it."""
