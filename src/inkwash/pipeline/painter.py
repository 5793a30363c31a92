"""The front door for Python: a model that paints."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from inkwash.device import compute
from inkwash.pipeline.engine import Engine
from inkwash.pipeline.painting import Gallery
from inkwash.pipeline.request import GenerateRequest
from inkwash.reverse.step import Step
from inkwash.weights.bundle import load_bundle


def load(model: str | Path = "pets", *, device: str = "auto", dtype: str = "float32") -> "Painter":
    """A model that paints: one of the shipped ones by name, or a folder with a model.json.

    Raises InvalidRequest if there is no such model or device, WeightsError if its files are broken.
    """
    return Painter(Engine(load_bundle(model), compute(device, dtype)), str(model))


@dataclass(frozen=True)
class Painter:
    """Prompts in, pictures out."""

    engine: Engine
    model: str

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
        return replace(request, model=self.model, seed=request.seed if seed is None else seed)
