"""Text in, steps out, pictures at the end."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from inkwash import __version__
from inkwash.denoiser import Denoiser, NetworkDenoiser, composed, guided, guided_at_once
from inkwash.device import Compute
from inkwash.guidance import instructed
from inkwash.latent.autoencoder import Autoencoder
from inkwash.latent.pixelspace import PixelSpace
from inkwash.latent.tiling import in_tiles
from inkwash.latent.tiny_autoencoder import TinyAutoencoder
from inkwash.nn.resting import rests
from inkwash.pipeline.batch import Batch, batches, merged
from inkwash.pipeline.beside import Beside, shown
from inkwash.pipeline.bounds import bounded_pixels, bounded_steps, finite, lost
from inkwash.pipeline.memory import PLENTY, Memory
from inkwash.pipeline.painting import Painting
from inkwash.pipeline.picture import images_of
from inkwash.pipeline.record import Record, fingerprint, parts_widened
from inkwash.pipeline.request import GenerateRequest
from inkwash.pipeline.resolve import resolved
from inkwash.pipeline.room import fitted, room_for
from inkwash.pipeline.start import inputs, start
from inkwash.pipeline.telling import informed, informed_away, interval_of, scale_of
from inkwash.pipeline.wording import Told, columns, worded
from inkwash.reverse.registry import SAMPLERS
from inkwash.reverse.step import Step
from inkwash.types import Latents, Pixels, Sigmas, TextStates
from inkwash.weights.bundle import Bundle

AT_ONCE = 2**16
"""Up to so many latent places, guidance asks the network once for both halves."""
DECODED_AT_ONCE = 4


@dataclass(frozen=True)
class Engine:
    """A model at work on a device."""

    bundle: Bundle
    compute: Compute
    widened: set[Batch] = field(default_factory=set, compare=False, repr=False)
    """Batches whose numbers ran out of bounds on the way, so that they were painted in float32."""

    def __post_init__(self) -> None:
        self.bundle.to(self.compute.device)
        for network in (self.bundle.predictor, self.bundle.autoencoder):
            if not rests(network):  # which layers put in order themselves
                network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.bundle.rest()

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
        full = [resolved(request, self.bundle) for request in requests]
        return list(batches(*fitted(full, self.bundle, room_for(self.compute))))

    @torch.inference_mode()
    def steps(self, batch: Batch) -> Iterator[Step]:
        """Reverse diffusion of one batch; in float32, and counted from 0 again, if numbers run out of bounds.

        Raises WeightsError if they do so in float32.
        """
        yield from bounded_steps(
            lambda compute: self._at(compute, batch)._walked(batch), self.compute, self.bundle.name
        )

    def _at(self, compute: Compute, batch: Batch) -> "Engine":
        if compute == self.compute:
            return self
        self.widened.add(batch)
        return replace(self, compute=compute)

    def _walked(self, batch: Batch) -> Iterator[Step]:
        begin = start(batch, self._tiled(batch.shared.memory), self.compute.device)
        denoise = begin.bound(self.denoiser(batch, begin.sigmas, begin.beside))
        self.bundle.rest()  # prompts are read, and pictures encoded
        yield from SAMPLERS[str(batch.shared.sampler)](denoise, begin.x, begin.sigmas, begin.noise)

    def _tiled(self, memory: Memory) -> Bundle:
        space = self.bundle.autoencoder
        if not memory.tiled or not isinstance(space, Autoencoder):
            return self.bundle
        return replace(self.bundle, autoencoder=in_tiles(space))

    def denoiser(self, batch: Batch, sigmas: Sigmas, beside: Beside | None = None) -> Denoiser:
        """The network behind the seam, guided by the words of every picture as they are at each level.

        Some networks are also shown what is `beside` the latents.
        """
        return worded(batch.requests, self.bundle.text, sigmas, lambda told: self._guided(batch, told, beside))

    def _guided(self, batch: Batch, told: Sequence[Told], beside: Beside | None) -> Denoiser:
        asked = batch.shared
        interval = interval_of(asked)
        scale = scale_of(batch, self.bundle)
        *wanted, (away, _) = columns(told)
        unaware = informed_away(away, batch, self.bundle)
        unwanted = shown(unaware, beside)
        networks = [self._network(shown(informed(states, batch, self.bundle), beside)) for states, _ in wanted]
        if asked.image_guidance is not None and beside is not None:
            look, blind = self._network(unwanted), self._network(shown(unaware, torch.zeros_like(beside)))
            return instructed(networks[0], look, blind, (scale, asked.image_guidance), interval)
        if not all(each.is_simple for each in told):
            ways = [(network, weights) for network, (_, weights) in zip(networks, wanted, strict=True)]
            return composed(ways, self._network(unwanted), scale, interval)
        factor = self.bundle.autoencoder.spec.factor
        fits = len(batch) * (asked.width or 0) * (asked.height or 0) <= AT_ONCE * factor**2
        if fits and not asked.memory.in_turn:
            return guided_at_once(networks[0], unwanted, scale, interval)
        return guided(networks[0], self._network(unwanted), scale, interval)

    def _network(self, words: TextStates) -> NetworkDenoiser:
        return NetworkDenoiser(self._predict, self.bundle.schedule, self.bundle.target, words)

    def look(self, latents: Latents, memory: Memory = PLENTY) -> list[Image.Image]:
        """Clean latents as pictures."""
        return self._looked(latents, memory)[0]

    @torch.inference_mode()
    def _looked(self, latents: Latents, memory: Memory) -> tuple[list[Image.Image], bool]:
        """Pictures, and whether decoding them took float32."""
        space, images, spoilt = self._tiled(memory).autoencoder, [], False
        for part in latents.split(1 if memory.tiled else DECODED_AT_ONCE):
            pixels, once_more = bounded_pixels(partial(_decoded, space, part), self.compute, self.bundle.name)
            images += images_of(pixels)
            spoilt |= once_more
        return images, spoilt

    def finish(self, batch: Batch, latents: Latents) -> list[Painting]:
        """The last latents of a batch as paintings that know how they were made.

        Raises WeightsError if latents or pixels are not finite: no black picture passes for a success.
        """
        if not finite(latents):
            raise lost(self.bundle.name)
        self.bundle.rest()  # the predictor's part is done
        looked, spoilt = self._looked(latents, batch.shared.memory)
        images = [self._kept(batch.shared, image) for image in looked]
        record, name = self.record(batch.requests), self.bundle.name
        record = replace(record, widened=parts_widened(batch in self.widened, spoilt))
        pairs = zip(batch.requests, images, strict=True)
        return [Painting(image, one, replace(record, index=k), name) for k, (one, image) in enumerate(pairs)]

    def record(self, singles: Iterable[GenerateRequest]) -> Record:
        """How the pictures of resolved requests are made: by this model, from these files, on this device."""
        runs = merged(list(singles))
        paths = sorted({path for run in runs for path in (run.image, run.mask) if path is not None})
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

    def _kept(self, asked: GenerateRequest, image: Image.Image) -> Image.Image:
        """Outside the mask the original, to the last bit: the autoencoder has no say there."""
        if asked.mask is None:
            return image
        photo, hole = inputs(asked)
        assert hole is not None  # noqa: S101  there is a mask
        return Image.composite(image, photo, hole)


def _decoded(space: Autoencoder | TinyAutoencoder | PixelSpace, latents: Latents, compute: Compute) -> Pixels:
    with compute.autocast():
        return space.decode(latents).float()
