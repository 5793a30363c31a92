"""Text in, steps out, pictures at the end."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from inkwash import __version__
from inkwash.denoiser import Denoiser, NetworkDenoiser, composed, guided, guided_at_once
from inkwash.device import Compute
from inkwash.errors import WeightsError
from inkwash.guidance import instructed
from inkwash.pipeline.batch import Batch, batches, merged
from inkwash.pipeline.beside import Beside, shown
from inkwash.pipeline.enlarging import second_pass, second_start
from inkwash.pipeline.painting import Painting
from inkwash.pipeline.picture import images_of
from inkwash.pipeline.pieces import in_pieces
from inkwash.pipeline.record import Record, fingerprint
from inkwash.pipeline.request import GenerateRequest
from inkwash.pipeline.resolve import resolved
from inkwash.pipeline.space import Space
from inkwash.pipeline.spelling import spelled
from inkwash.pipeline.start import Start, start
from inkwash.pipeline.surface import surface
from inkwash.pipeline.telling import informed, informed_away, scale_of
from inkwash.pipeline.tiling import WHOLE, Tiling
from inkwash.pipeline.wording import Told, columns, worded
from inkwash.reverse.registry import SAMPLERS
from inkwash.reverse.step import Step
from inkwash.types import Latents, Sigmas, TextStates
from inkwash.weights.bundle import Bundle

AT_ONCE = 2**16
"""Up to so many latent places, guidance asks the network once for both halves."""
DECODED_AT_ONCE = 4


@dataclass(frozen=True)
class Engine:
    """A model at work on a device."""

    bundle: Bundle
    compute: Compute

    def __post_init__(self) -> None:
        self.bundle.to(self.compute.device)
        for network in (self.bundle.predictor, self.bundle.autoencoder):
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def stream(self, request: GenerateRequest) -> Iterator[Step]:
        """Every step of every picture; the caller drives, and stops by dropping the iterator.

        Beyond 16 pictures one batch follows the other, and steps count from 0 again.
        """
        for batch in self.batches([request]):
            yield from self.steps(batch)

    def paint(self, request: GenerateRequest) -> list[Painting]:
        """The finished pictures.  Raises InvalidRequest, or WeightsError if numbers ran out of bounds."""
        return [painting for batch in self.batches([request]) for painting in self.finish(batch, self._last(batch))]

    def batches(self, requests: Iterable[GenerateRequest]) -> list[Batch]:
        """Requests resolved and grouped into what is painted together."""
        return list(batches(resolved(one, self.bundle) for request in requests for one in spelled(request)))

    @torch.inference_mode()
    def steps(self, batch: Batch) -> Iterator[Step]:
        """Reverse diffusion of one batch."""
        for step in self._walked(batch, start(batch, self.bundle, self.compute.device)):
            yield step
        if batch.shared.hires.acts:
            larger, space = second_pass(batch, self.bundle), Space(self.bundle, batch.shared.tiling)
            yield from self._walked(larger, second_start(step.x, batch, larger, space))

    def _walked(self, batch: Batch, begin: Start) -> Iterator[Step]:
        denoise = begin.bound(self.denoiser(batch, begin.sigmas, begin.beside))
        yield from SAMPLERS[str(batch.shared.sampler)](denoise, begin.x, begin.sigmas, begin.noise)

    def denoiser(self, batch: Batch, sigmas: Sigmas, beside: Beside | None = None) -> Denoiser:
        """The network behind the seam, guided by the words of every picture as they are at each level.

        Some networks are also shown what is `beside` the latents.
        """
        return worded(
            batch.requests, self.bundle.text, sigmas, lambda told: self._guided(batch, told, beside), batch.before
        )

    def _guided(self, batch: Batch, told: Sequence[Told], beside: Beside | None) -> Denoiser:
        asked = batch.shared
        interval = (asked.guidance_from or 0.0, asked.guidance_until or 0.0)
        scale = scale_of(batch, self.bundle)
        *wanted, (away, _) = columns(told)
        unaware = informed_away(away, batch, self.bundle)
        unwanted = shown(unaware, beside)
        networks = [self._network(asked, shown(informed(states, batch, self.bundle), beside)) for states, _ in wanted]
        if asked.image_guidance is not None and beside is not None:
            look = self._network(asked, unwanted)
            blind = self._network(asked, shown(unaware, torch.zeros_like(beside)))
            return instructed(networks[0], look, blind, (scale, asked.image_guidance), interval)
        if not all(each.is_simple for each in told):
            ways = [(network, weights) for network, (_, weights) in zip(networks, wanted, strict=True)]
            return composed(ways, self._network(asked, unwanted), scale, interval)
        factor = self.bundle.autoencoder.spec.factor
        if len(batch) * (asked.width or 0) * (asked.height or 0) <= AT_ONCE * factor**2:
            return guided_at_once(networks[0], unwanted, scale, interval)
        return guided(networks[0], self._network(asked, unwanted), scale, interval)

    def _network(self, asked: GenerateRequest, words: TextStates) -> NetworkDenoiser:
        predict = in_pieces(self._predict, self.bundle.predictor, asked.tiling, self.bundle.autoencoder.spec.factor)
        return NetworkDenoiser(predict, self.bundle.schedule, self.bundle.target, words)

    @torch.inference_mode()
    def look(self, latents: Latents, tiling: Tiling = WHOLE) -> list[Image.Image]:
        """Clean latents as pictures."""
        space = Space(self.bundle, tiling)
        with self.compute.autocast():
            return [image for part in latents.split(DECODED_AT_ONCE) for image in images_of(space.decode(part))]

    def finish(self, batch: Batch, latents: Latents) -> list[Painting]:
        """The last latents of a batch as paintings that know how they were made.

        Raises WeightsError if the latents are not finite: no black picture passes for a success.
        """
        if not bool(latents.isfinite().all()):
            raise WeightsError(f"{self.bundle.name} lost itself in numbers that are not finite; try dtype float32")
        images = self.look(latents, batch.shared.tiling)
        if batch.shared.image is not None:
            images = [*map(surface(batch.shared).finished, images)]
        record, name = self.record(batch.requests), self.bundle.name
        pairs = zip(batch.requests, images, strict=True)
        return [Painting(image, one, replace(record, index=k), name) for k, (one, image) in enumerate(pairs)]

    def record(self, singles: Iterable[GenerateRequest]) -> Record:
        """How the pictures of resolved requests are made: by this model, from these files, on this device."""
        runs = merged(list(singles))
        paths = sorted({path for run in runs for path in run.inputs})
        return Record(
            version=__version__,
            requests=runs,
            model=self.bundle.files,
            inputs={path.as_posix(): fingerprint(path) for path in paths},
            device=str(self.compute.device),
            dtype=str(self.compute.dtype).removeprefix("torch."),
            threads=torch.get_num_threads(),
        )

    def _last(self, batch: Batch) -> Latents:
        *_, last = self.steps(batch)
        return last.x

    def _predict(self, x: Latents, t: Float[Tensor, " b"], text: TextStates) -> Latents:
        with self.compute.autocast():
            return self.bundle.predictor(x, t, text).float()  # type: ignore[no-any-return]
