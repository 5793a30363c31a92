"""Tiny autoencoders (TAESD): their own files number the layers of one half; a diffusers folder holds both halves.

The decoder's own count begins with the clamp, which has no weights: it is one ahead.
"""

import re
from collections.abc import Collection

from inkwash.weights.names.recipe import Recipe, renamed

OWN = re.compile(r"(?:taesd_)?(?:(encoder|decoder)\.)?(\d+)\.(.+)")
THEIRS = re.compile(r"(encoder|decoder)\.layers\.(\d+)\.(.+)")


def to_diffusers(names: Collection[str]) -> dict[str, Recipe]:
    """Names of an own file, of one half or with `encoder.` and `decoder.` before them -> recipes for a folder."""
    half = "encoder" if "0.weight" in names else "decoder"

    def there(name: str) -> str:
        found = OWN.fullmatch(name)
        if found is None:
            return name
        side = found[1] or half
        return f"{side}.layers.{int(found[2]) - (side == 'decoder')}.{found[3]}"

    return renamed(names, there)


def to_own(names: Collection[str]) -> dict[str, Recipe]:
    """The inverse of `to_diffusers`; half and number stay apart where there are both halves."""
    halves = {found[1] for name in names if (found := THEIRS.fullmatch(name))}

    def back(name: str) -> str:
        found = THEIRS.fullmatch(name)
        if found is None:
            return name
        number = int(found[2]) + (found[1] == "decoder")
        return f"{found[1]}.{number}.{found[3]}" if len(halves) > 1 else f"{number}.{found[3]}"

    return renamed(names, back)
