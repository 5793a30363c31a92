"""inkwash: a whole Stable Diffusion system to train, run, look inside and serve on an ordinary computer.

>>> import inkwash
>>> inkwash.load("pets").paint("a photo of a cat")[0].save("cat.png")
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inkwash.errors import InkwashError, InvalidRequest
    from inkwash.pipeline.painter import Painter, load
    from inkwash.request.generate import GenerateRequest
    from inkwash.reverse.registry import SAMPLERS

__all__ = ["SAMPLERS", "GenerateRequest", "InkwashError", "InvalidRequest", "Painter", "load"]
__version__ = "0.1.0"

HOMES = {
    "load": "pipeline.painter",
    "Painter": "pipeline.painter",
    "GenerateRequest": "request.generate",
    "SAMPLERS": "reverse.registry",
    "InkwashError": "errors",
    "InvalidRequest": "errors",
}
"""Where the public names live; a home is entered when one is asked for, so `import inkwash` brings no torch."""


def __getattr__(name: str) -> object:
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *HOMES]
