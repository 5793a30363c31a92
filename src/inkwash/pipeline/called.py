"""What prompts call by name: adapters as <lora:name:0.8>, and learned words."""

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from inkwash.errors import InvalidRequest
from inkwash.request.generate import GenerateRequest
from inkwash.text.chunks import names_in
from inkwash.text.prompt import parse, render
from inkwash.text.tags import tags_taken
from inkwash.text.tree import Lora, Prompt

MOST_FILES = 10_000
MOST_LISTED = 8


def loras_of(request: GenerateRequest) -> tuple[Lora, ...]:
    """The adapters that a prompt asks for."""
    return parse(request.prompt, request.prompt_mode or "native").loras


def calls_of(request: GenerateRequest) -> str:
    """The tags of a prompt alone: pictures that differ in them are not painted together."""
    return render(Prompt((), loras_of(request)))


def called_loras(request: GenerateRequest) -> list[tuple[Lora, Path]]:
    """The adapters of a prompt with their files.  Raises InvalidRequest for a name that stands for none or several."""
    loras = loras_of(request)
    if not loras:
        return []
    beside = Path(request.model).parent if Path(request.model).exists() else None
    folders = [_listed(folder, "lora_dir") for folder in [request.library.lora_dir] if folder is not None]
    near = sorted(beside.glob("*.safetensors")) if beside is not None else []
    return [(lora, _found(lora.name, [*folders, near])) for lora in loras]


def called_words(request: GenerateRequest) -> dict[str, Path]:
    """Learned words that a request's prompts hold, in lower case, with their files.

    Raises InvalidRequest if the folder cannot be looked into, or if two files have one name.
    """
    folder = request.library.embeddings
    if folder is None or request.prompt_mode == "literal":
        return {}
    known: dict[str, list[Path]] = {}
    for path in _listed(folder, "embeddings"):
        known.setdefault(path.stem.lower(), []).append(path)
    pattern = names_in(known)
    mode = request.prompt_mode or "native"
    texts = [tags_taken(text, mode)[0] for text in (request.prompt, request.negative_prompt or "")]
    names = {} if pattern is None else dict.fromkeys(name.lower() for text in texts for name in pattern.findall(text))
    for name in names:
        if len(known[name]) > 1:
            raise InvalidRequest("prompt", name, f"the name of one file; {known[name][0]} and {known[name][1]} have it")
    return {name: known[name][0] for name in names}


def _listed(folder: Path, field: str) -> Sequence[Path]:
    """The safetensors files in a folder and the folders in it."""
    if not folder.is_dir():
        raise InvalidRequest(field, str(folder), "a folder")
    return sorted(islice(folder.rglob("*.safetensors"), MOST_FILES))


def _found(name: str, places: Iterable[Sequence[Path]]) -> Path:
    """The file of that name, in the first place that has it."""
    near: list[str] = []
    for files in places:
        match = [path for path in files if path.stem == name]
        if len(match) > 1:
            raise InvalidRequest("prompt", f"<lora:{name}>", f"the name of one file; {match[0]} and {match[1]} have it")
        if match:
            return match[0]
        near += [path.stem for path in files]
    more = f"; there are {', '.join(near[:MOST_LISTED])}" if near else ""
    raise InvalidRequest("prompt", f"<lora:{name}>", f"the name of a file in --lora-dir or beside the model{more}")
