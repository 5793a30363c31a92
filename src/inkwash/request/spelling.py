"""A request with templates becomes requests for what they stand for."""

from collections.abc import Iterator
from dataclasses import replace

from inkwash.request.generate import GenerateRequest
from inkwash.request.seeds import chosen_seed
from inkwash.request.templates import Templates, Written
from inkwash.text.matrix import matrix
from inkwash.text.styles import read_styles, styled
from inkwash.text.wildcard_files import read_wildcards
from inkwash.text.wildcards import expanded


def spelled(request: GenerateRequest) -> Iterator[GenerateRequest]:
    """Requests without templates: styles are applied first, then choices are made, then comes the prompt matrix.

    Choices are made anew for every picture, by its seed; all pictures of a matrix have one seed. What was written is
    kept beside what is painted.  Raises InvalidRequest for files that cannot be read and names that are not in them.
    """
    asked = request.templates
    if not asked.acts:
        yield request
        return
    for styled_one in _chosen(_styled(request), asked):
        for prompt in matrix(styled_one.prompt) if asked.matrix else (styled_one.prompt,):
            yield _kept(replace(styled_one, prompt=prompt, templates=Templates()), request)


def _styled(request: GenerateRequest) -> GenerateRequest:
    """With its styles, and with the seeds that all that it stands for will have."""
    asked, subseed = request.templates, request.subseed
    request = replace(
        request,
        seed=chosen_seed(request.seed),
        subseed=chosen_seed(subseed) if request.subseed_strength else subseed,
    )
    if asked.styles is None:
        return request
    styles = read_styles(asked.styles)
    prompt, negative = styled(request.prompt, request.negative_prompt or "", asked.style, styles)
    return replace(request, prompt=prompt, negative_prompt=negative or request.negative_prompt)


def _chosen(request: GenerateRequest, asked: Templates) -> Iterator[GenerateRequest]:
    """A request for every picture with its choices made; or the request itself, where there are none to make."""
    if not asked.choices and asked.wildcards is None:
        yield request
        return
    files = {} if asked.wildcards is None else read_wildcards(asked.wildcards)
    for single in request.singles():
        seed = (single.subseed if single.subseed_strength else single.seed) or 0
        negative = single.negative_prompt and expanded(single.negative_prompt, seed, files)
        yield replace(single, prompt=expanded(single.prompt, seed, files), negative_prompt=negative)


def _kept(painted: GenerateRequest, request: GenerateRequest) -> GenerateRequest:
    """What is painted, beside what was written."""
    negative = request.negative_prompt if painted.negative_prompt != request.negative_prompt else None
    prompt = request.prompt if painted.prompt != request.prompt else None
    return replace(painted, written=Written(prompt=prompt, negative_prompt=negative))
