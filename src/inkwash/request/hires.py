"""A second pass: a picture painted small, enlarged, and painted over with more detail, as the hires fix of web UIs."""

from collections.abc import Mapping
from dataclasses import dataclass

from inkwash.errors import InvalidRequest
from inkwash.request.limits import real, text, whole

LATENT: Mapping[str, tuple[str, bool]] = {
    "Latent": ("bilinear", False),
    "Latent (antialiased)": ("bilinear", True),
    "Latent (bicubic)": ("bicubic", False),
    "Latent (bicubic antialiased)": ("bicubic", True),
    "Latent (nearest)": ("nearest", False),
    "Latent (nearest-exact)": ("nearest-exact", False),
}
"""Ways to enlarge latents, by the names that people know: PyTorch's mode, and whether it is smoothed."""
PIXELS = ("Lanczos", "Nearest")
"""Ways to enlarge pixels."""
SUFFIX = ".safetensors"
STRENGTH = 0.7


@dataclass(frozen=True, kw_only=True)
class Hires:
    """What the second pass does; there is one as soon as a scale or a size is given.  None: as in the first pass.

    Raises InvalidRequest, naming field, value and what is wanted.
    """

    scale: float | None = None
    """So many times as wide and high."""
    width: int | None = None
    """In pixels, instead of a scale; left out beside a height, it keeps the shape."""
    height: int | None = None
    """In pixels."""
    upscaler: str = "Latent"
    """Latent, "Latent (bicubic)" …, Lanczos, Nearest, or the .safetensors file of an upscaling network."""
    steps: int | None = None
    """Steps that are walked in the second pass."""
    strength: float | None = None
    """How much is painted anew: at 0.3 details, at 0.7 (if nothing is said) shapes, too."""
    sampler: str | None = None
    """Its way down the noise."""
    spacing: str | None = None
    """Where it stops on that way."""
    guidance: float | None = None
    """How far beyond the prompt it goes."""
    prompt: str | None = None
    """What it paints."""
    negative_prompt: str | None = None
    """What it paints away from."""

    def __post_init__(self) -> None:
        bounds = {"width": (8, 4096), "height": (8, 4096), "steps": (1, 1000)}
        for name, (least, most) in bounds.items():
            if getattr(self, name) is not None:
                whole(f"hires.{name}", getattr(self, name), least, most)
        for name, low, high in (("scale", 1.0, 16.0), ("strength", 0.0, 1.0), ("guidance", 0.0, 100.0)):
            if getattr(self, name) is not None:
                real(f"hires.{name}", getattr(self, name), low, high)
        for name in ("upscaler", "sampler", "spacing", "prompt", "negative_prompt"):
            if getattr(self, name) is not None:
                text(f"hires.{name}", getattr(self, name))
        if self.strength == 0:
            raise InvalidRequest("hires.strength", 0, "above 0: with 0 nothing would be painted over")
        if self.scale is not None and (self.width, self.height) != (None, None):
            raise InvalidRequest("hires.scale", self.scale, "left out where a width or a height is given")
        if not self.upscaler.endswith(SUFFIX):
            upscaler_named(self.upscaler)

    @property
    def acts(self) -> bool:
        """Is there a second pass?"""
        return (self.scale, self.width, self.height) != (None, None, None)

    def size(self, first: tuple[int, int], multiple: int) -> tuple[int, int]:
        """Width and height of the second pass, rounded so that the model can paint them."""
        wide, high = first
        if self.scale is not None:
            wanted = wide * self.scale, high * self.scale
        else:
            wanted = (
                float(self.width or wide * (self.height or high) / high),
                float(self.height or high * (self.width or wide) / wide),
            )
        return max(round(wanted[0] / multiple), 1) * multiple, max(round(wanted[1] / multiple), 1) * multiple


def upscaler_named(name: str) -> str:
    """The name as it is written here: capitals and signs do not count.  Raises InvalidRequest for one not known."""
    known = {_letters(each): each for each in (*LATENT, *PIXELS)}
    if _letters(name) not in known:
        raise InvalidRequest("hires.upscaler", name, f"one of {', '.join(known.values())}, or a {SUFFIX} file")
    return known[_letters(name)]


def _letters(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
