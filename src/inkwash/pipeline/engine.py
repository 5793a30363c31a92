"""Text in, steps out, pictures at the end."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from inkwash import __version__
from inkwash.denoiser import Denoiser, NetworkDenoiser, NoisePredictor, composed, guided, guided_at_once
from inkwash.device import Compute
from inkwash.errors import WeightsError
from inkwash.guidance import instructed
from inkwash.pipeline.aids import ALONE, Aids
from inkwash.pipeline.batch import Batch, batches, merged
from inkwash.pipeline.beside import Beside, shown
from inkwash.pipeline.painting import Painting
from inkwash.pipeline.picture import images_of
from inkwash.pipeline.record import Record, fingerprint
from inkwash.pipeline.request import GenerateRequest
from inkwash.pipeline.resolve import resolved
from inkwash.pipeline.start import inputs, start
from inkwash.pipeline.telling import informed, informed_away, scale_of
from inkwash.pipeline.wording import Told, columns, worded
from inkwash.pipeline.workshop import Workshop, pictures_of
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

    @cached_property
    def workshop(self) -> Workshop:
        """What requests bring along: adapters, learned words, controls."""
        return Workshop(self.bundle, self.compute.device)

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
        return list(batches(resolved(request, self.bundle) for request in requests))

    @torch.inference_mode()
    def steps(self, batch: Batch) -> Iterator[Step]:
        """Reverse diffusion of one batch."""
        begin = start(batch, self.bundle, self.compute.device)
        with self.workshop.at_work(batch, begin.sigmas) as aids:
            denoise = begin.bound(self.denoiser(batch, begin.sigmas, begin.beside, aids))
            yield from SAMPLERS[str(batch.shared.sampler)](denoise, begin.x, begin.sigmas, begin.noise)

    def denoiser(self, batch: Batch, sigmas: Sigmas, beside: Beside | None = None, aids: Aids = ALONE) -> Denoiser:
        """The network behind the seam, guided by the words of every picture as they are at each level.

        Some networks are also shown what is `beside` the latents.
        """
        return worded(batch.requests, self.bundle.text, sigmas, lambda told: self._guided(batch, told, beside, aids))

    def _guided(self, batch: Batch, told: Sequence[Told], beside: Beside | None, aids: Aids) -> Denoiser:
        asked = batch.shared
        interval = (asked.guidance_from or 0.0, asked.guidance_until or 0.0)
        scale = scale_of(batch, self.bundle)
        *wanted, (away, _) = columns(told)
        unaware = aids.shown(informed_away(away, batch, self.bundle), wanted=False)
        unwanted = shown(unaware, beside)
        texts = [aids.shown(informed(states, batch, self.bundle)) for states, _ in wanted]
        networks = [self._network(shown(text, beside), aids) for text in texts]
        opposed = self._network(unwanted, aids, wanted=False)
        if asked.image_guidance is not None and beside is not None:
            blind = replace(opposed, text=shown(unaware, torch.zeros_like(beside)))
            return instructed(networks[0], opposed, blind, (scale, asked.image_guidance), interval)
        if not all(each.is_simple for each in told):
            ways = [(network, weights) for network, (_, weights) in zip(networks, wanted, strict=True)]
            return composed(ways, opposed, scale, interval)
        factor = self.bundle.autoencoder.spec.factor
        if aids.alike and len(batch) * (asked.width or 0) * (asked.height or 0) <= AT_ONCE * factor**2:
            return guided_at_once(networks[0], unwanted, scale, interval)
        return guided(networks[0], opposed, scale, interval)

    def _network(self, words: TextStates, aids: Aids, *, wanted: bool = True) -> NetworkDenoiser:
        predict = partial(self._predict, aids.steered(self.bundle.predictor, wanted=wanted))
        return NetworkDenoiser(predict, self.bundle.schedule, self.bundle.target, words)

    @torch.inference_mode()
    def look(self, latents: Latents) -> list[Image.Image]:
        """Clean latents as pictures."""
        with self.compute.autocast():
            return [
                image
                for part in latents.split(DECODED_AT_ONCE)
                for image in images_of(self.bundle.autoencoder.decode(part))
            ]

    def finish(self, batch: Batch, latents: Latents) -> list[Painting]:
        """The last latents of a batch as paintings that know how they were made.

        Raises WeightsError if the latents are not finite: no black picture passes for a success.
        """
        if not bool(latents.isfinite().all()):
            raise WeightsError(f"{self.bundle.name} lost itself in numbers that are not finite; try dtype float32")
        images = [self._kept(batch.shared, image) for image in self.look(latents)]
        record, name = self.record(batch.requests), self.bundle.name
        pairs = zip(batch.requests, images, strict=True)
        more = self.workshop.told
        return [Painting(image, one, replace(record, index=k), name, more(one)) for k, (one, image) in enumerate(pairs)]

    def record(self, singles: Iterable[GenerateRequest]) -> Record:
        """How the pictures of resolved requests are made: by this model, from these files, on this device."""
        runs = merged(list(singles))
        seen = {path for run in runs for path in (run.image, run.mask, *pictures_of(run)) if path is not None}
        return Record(
            version=__version__,
            requests=runs,
            model=self.bundle.files,
            inputs={path.as_posix(): fingerprint(path) for path in sorted(seen)},
            adapters={path: each for run in runs for path, each in sorted(self.workshop.files(run).items())},
            device=str(self.compute.device),
            dtype=str(self.compute.dtype).removeprefix("torch."),
            threads=torch.get_num_threads(),
        )

    def _last(self, batch: Batch) -> Latents:
        *_, last = self.steps(batch)
        return last.x

    def _predict(self, network: NoisePredictor, x: Latents, t: Float[Tensor, " b"], text: TextStates) -> Latents:
        with self.compute.autocast():
            return network(x, t, text).float()

    def _kept(self, asked: GenerateRequest, image: Image.Image) -> Image.Image:
        """Outside the mask the original, to the last bit: the autoencoder has no say there."""
        if asked.mask is None:
            return image
        photo, hole = inputs(asked)
        assert hole is not None  # noqa: S101  there is a mask
        return Image.composite(image, photo, hole)
