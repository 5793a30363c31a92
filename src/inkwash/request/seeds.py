"""Seeds for those who name none."""

from secrets import randbelow

SEEDS = 2**32
"""Seeds chosen for the user stay below: short enough to read aloud."""


def chosen_seed(seed: int | None) -> int:
    """The seed itself, or a random one for None and -1."""
    return randbelow(SEEDS) if seed is None or seed == -1 else seed
