"""The front door for Python: a model that paints."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from inkwash.device import compute
from inkwash.pipeline.engine import Engine
from inkwash.pipeline.painting import Gallery
from inkwash.ram import room_of
from inkwash.request.generate import GenerateRequest
from inkwash.reverse.step import Step
from inkwash.weights.choice import CHOSEN, Keeping, ModelChoice
from inkwash.weights.models import open_model


def load(
    model: str | Path | ModelChoice = "pets",
    *,
    device: str = "auto",
    dtype: str = "float32",
    keeping: Keeping = "auto",
    room: float | None = None,
) -> "Painter":
    """A model that paints: a shipped one by name, a folder with a model.json, or any checkpoint by its path.

    A `ModelChoice` says more: another autoencoder, where the tokenizer lies, what the network was taught. `keeping`
    says how weights are kept in memory, `room` how many gigabytes of it there are to do with (None: what is free).
    Raises InvalidRequest if there is no such model or device, WeightsError if its files are broken.
    """
    choice = model if isinstance(model, ModelChoice) else ModelChoice(model)
    most = None if room is None else room_of(room)
    return Painter(Engine(open_model(choice, keeping, most), compute(device, dtype, most)), choice)


@dataclass(frozen=True)
class Painter:
    """Prompts in, pictures out."""

    engine: Engine
    choice: ModelChoice

    def paint(
        self,
        wanted: str | GenerateRequest,
        *,
        seed: int | None = None,
        count: int | None = None,
        steps: int | None = None,
        guidance: float | None = None,
    ) -> Gallery:
        """Pictures of a prompt, or of a whole request; what is said here wins over the request.

        `paint("a cat")[0]` is a PIL image, `.paintings[0]` knows its seed and saves itself with all that made it.
        Raises InvalidRequest naming field, value and what is wanted.
        """
        request = self._request(wanted, seed)
        request = replace(
            request,
            count=request.count if count is None else count,
            steps=request.steps if steps is None else steps,
            guidance=request.guidance if guidance is None else guidance,
        )
        return Gallery(tuple(self.engine.paint(request)))

    def stream(self, wanted: str | GenerateRequest, *, seed: int | None = None) -> Iterator[Step]:
        """Every step of reverse diffusion, as it is made; stop by leaving the loop."""
        return self.engine.stream(self._request(wanted, seed))

    def _request(self, wanted: str | GenerateRequest, seed: int | None) -> GenerateRequest:
        request = GenerateRequest(prompt=wanted) if isinstance(wanted, str) else wanted
        chosen = replace(request, model=str(self.choice.model), seed=request.seed if seed is None else seed)
        return replace(chosen, **{name: getattr(self.choice, name) for name in (*CHOSEN, "lora")})
