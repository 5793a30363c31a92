"""Text in, steps out, pictures at the end."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from inkwash import __version__
from inkwash.denoiser import Denoiser, NoisePredictor
from inkwash.device import Compute
from inkwash.forward.schedule import Schedule
from inkwash.metadata.record import Record, fingerprint, parts_widened
from inkwash.nn.resting import rests
from inkwash.pictures.picture import images_of
from inkwash.pictures.surface import surface
from inkwash.pipeline.aids import ALONE, Aids
from inkwash.pipeline.aim import aim
from inkwash.pipeline.batch import Batch, batches, merged
from inkwash.pipeline.beside import Beside
from inkwash.pipeline.bounds import bounded_pixels, bounded_steps, finite, lost
from inkwash.pipeline.enlarging import second_pass, second_start
from inkwash.pipeline.guesser import Guesser
from inkwash.pipeline.painting import Painting
from inkwash.pipeline.relay import refined, walked_by
from inkwash.pipeline.resolve import resolved
from inkwash.pipeline.room import fitted, room_for
from inkwash.pipeline.space import Space, space_of
from inkwash.pipeline.start import Start, start
from inkwash.pipeline.walking import walk_of
from inkwash.pipeline.wording import worded
from inkwash.pipeline.workshop import Workshop, pictures_of
from inkwash.request.generate import GenerateRequest
from inkwash.request.spelling import spelled
from inkwash.request.tiling import WHOLE
from inkwash.reverse.step import Step
from inkwash.types import Latents, Pixels, Sigmas, TextStates
from inkwash.weights.bundle import Bundle
from inkwash.weights.choice import ModelChoice

DECODED_AT_ONCE = 4


@dataclass(frozen=True)
class Engine:
    """A model at work on a device."""

    bundle: Bundle
    compute: Compute
    companions: dict[ModelChoice, "Engine"] = field(default_factory=dict, compare=False, repr=False)
    """Other models that it hands latents over to, opened when they are first wanted."""
    widened: set[Batch] = field(default_factory=set, compare=False, repr=False)
    """Batches whose numbers ran out of bounds on the way, so that they were painted in float32."""

    def __post_init__(self) -> None:
        self.bundle.to(self.compute.device)
        for network in (self.bundle.predictor, self.bundle.autoencoder):
            if not rests(network):  # which layers put in order themselves
                network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.bundle.rest()

    @cached_property
    def workshop(self) -> Workshop:
        """What requests bring along: adapters, learned words, controls."""
        return Workshop(self.bundle, self.compute.device)

    def other(self, bundle: Bundle) -> "Engine":
        """Another model on the same device."""
        return Engine(bundle, self.compute)

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
        each = (one for request in requests for one in spelled(request))
        full = [refined(resolved(one, self.bundle), self) for one in each]
        return list(batches(*fitted(full, self.bundle, room_for(self.compute))))

    @torch.inference_mode()
    def steps(self, batch: Batch) -> Iterator[Step]:
        """Reverse diffusion of one batch; in float32, and counted from 0 again, if numbers run out of bounds.

        Raises WeightsError if they do so in float32.
        """
        yield from bounded_steps(
            lambda compute: self._at(compute, batch)._passes(batch), self.compute, self.bundle.name
        )

    def _at(self, compute: Compute, batch: Batch) -> "Engine":
        if compute == self.compute:
            return self
        self.widened.add(batch)
        others = {choice: replace(each, compute=compute) for choice, each in self.companions.items()}
        return replace(self, compute=compute, companions=others)

    def _passes(self, batch: Batch) -> Iterator[Step]:
        for step in self._walked(batch, start(batch, self.bundle, self.compute.device)):
            yield step
        if batch.shared.hires.acts:
            larger, space = second_pass(batch, self.bundle), space_of(self.bundle, batch.shared)
            yield from self._walked(larger, second_start(step.x, batch, larger, space))

    def _walked(self, batch: Batch, begin: Start) -> Iterator[Step]:
        with self.workshop.at_work(batch, begin.sigmas) as aids:
            yield from walked_by(self, batch, begin, walk_of(batch.shared, self.bundle), aids)

    def denoiser(
        self,
        batch: Batch,
        sigmas: Sigmas,
        beside: Beside | None = None,
        schedule: Schedule | None = None,
        aids: Aids = ALONE,
    ) -> Denoiser:
        """The network behind the seam, guided by the words of every picture as they are at each level.

        Some networks are also shown what is `beside` the latents, or helped; `schedule` tells steps where it is not the
        model's.
        """
        aimed = aim(batch.shared, self.bundle, sigmas, schedule)
        guess = Guesser(self.bundle, self._predict, batch, aimed, aids, beside)
        return worded(batch.requests, self.bundle.text, sigmas, guess, batch.before)

    def look(self, latents: Latents, space: Space | None = None) -> list[Image.Image]:
        """Clean latents as pictures."""
        return self._looked(latents, space or Space(self.bundle, WHOLE))[0]

    @torch.inference_mode()
    def _looked(self, latents: Latents, space: Space) -> tuple[list[Image.Image], bool]:
        """Pictures, and whether decoding them took float32."""
        images, spoilt = [], False
        for part in latents.split(1 if space.tiling.decode else DECODED_AT_ONCE):
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
        images, spoilt = self._looked(latents, space_of(self.bundle, batch.shared))
        if batch.shared.image is not None:
            images = [*map(surface(batch.shared).finished, images)]
        record, name = self.record(batch.requests), self.bundle.name
        record = replace(record, widened=parts_widened(batch in self.widened, spoilt))
        pairs = zip(batch.requests, images, strict=True)
        more = self.workshop.told
        return [Painting(image, one, replace(record, index=k), name, more(one)) for k, (one, image) in enumerate(pairs)]

    def record(self, singles: Iterable[GenerateRequest]) -> Record:
        """How the pictures of resolved requests are made: by this model, from these files, on this device."""
        runs = merged(list(singles))
        seen = {path for run in runs for path in (*run.inputs, *pictures_of(run))}
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


def _decoded(space: Space, latents: Latents, compute: Compute) -> Pixels:
    with compute.autocast():
        return space.decode(latents).float()
