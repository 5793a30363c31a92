"""Pictures painted together: prompts and seeds may differ, all else is shared."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from inkwash.pipeline.called import calls_of
from inkwash.request.generate import GenerateRequest
from inkwash.text.tree import Mode

MOST = 16
"""Pictures in a batch: more hardly make one faster, but take more memory."""


@dataclass(frozen=True)
class Batch:
    """Resolved requests for one picture each that go through the network side by side."""

    requests: tuple[GenerateRequest, ...]
    before: int = 0
    """Steps of the pass before, in a picture of two."""

    @property
    def shared(self) -> GenerateRequest:
        """Whom to ask for what is the same for all: size, steps, sampler, guidance, input pictures."""
        return self.requests[0]

    @property
    def prompts(self) -> list[str]:
        """What each picture shows."""
        return [request.prompt for request in self.requests]

    @property
    def unwanted(self) -> list[str]:
        """What each picture does not show."""
        return [request.negative_prompt or "" for request in self.requests]

    def __len__(self) -> int:
        return len(self.requests)


def batches(requests: Iterable[GenerateRequest], most: int = MOST) -> Iterator[Batch]:
    """Neighbours that can go together, at most `most` at a time; the same requests always group the same way."""
    waiting: list[GenerateRequest] = []
    for single in (single for request in requests for single in request.singles()):
        if waiting and (len(waiting) == most or _apart(waiting[0]) != _apart(single)):
            yield Batch(tuple(waiting))
            waiting = []
        waiting.append(single)
    if waiting:
        yield Batch(tuple(waiting))


def merged(singles: Sequence[GenerateRequest]) -> tuple[GenerateRequest, ...]:
    """The shortest list of requests whose pictures are `singles`: runs of following seeds become one request."""
    runs: list[GenerateRequest] = []
    for single in singles:
        longer = replace(runs[-1], count=runs[-1].count + 1) if runs else None
        if longer and list(longer.singles())[-1] == single:
            runs[-1] = longer
        else:
            runs.append(single)
    return tuple(runs)


def _apart(request: GenerateRequest) -> GenerateRequest:
    """What must be the same in a batch."""
    mode: Mode = "a1111" if request.prompt_mode == "a1111" else "native"  # which counts calls, so it goes by itself
    own = replace(request, prompt=calls_of(request), negative_prompt="", seed=0, subseed=None)
    return replace(own, prompt_mode=mode, weighting=None, clip_skip=None)
