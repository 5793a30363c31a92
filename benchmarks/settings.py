"""How thoroughly to measure, and with which model."""

from dataclasses import dataclass

from inkwash.device import only_float32
from inkwash.predictor.spec import PETS, TINY, UNetSpec
from inkwash.text.encoder import PETS_TEXT


@dataclass(frozen=True)
class Settings:
    """All numbers of a run."""

    spec: UNetSpec
    """The predictor whose training is timed."""
    side: int
    """Height and width of its latents."""
    batch: int
    tokens: int
    """Length of the prompts."""
    rounds: int
    """Times every contestant has its turn; the reported number is the median of the turns."""
    lessons: int
    """Training steps in one turn."""
    model: str | None
    """The model that paints; None paints with an untrained one of toy size."""
    pictures: int
    steps: int
    """Steps of the sampler."""
    starts: int
    """Processes started for the cold time."""


FULL = Settings(
    PETS, side=16, batch=64, tokens=PETS_TEXT.tokens, rounds=5, lessons=4, model="pets", pictures=16, steps=25, starts=7
)
QUICK = Settings(TINY, side=8, batch=2, tokens=3, rounds=2, lessons=1, model=None, pictures=1, steps=2, starts=1)


def dtypes() -> tuple[str, ...]:
    """bfloat16 only where the processor has it: to imitate it takes minutes a step."""
    return ("float32",) if only_float32() else ("float32", "bfloat16")
