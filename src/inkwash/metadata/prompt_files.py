"""Lists of pictures to paint, from files: a prompt a line, options a line, or a request in JSON a line."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from hashlib import sha256
from pathlib import Path
from typing import Any

from inkwash.errors import InvalidRequest
from inkwash.metadata.prompt_options import START, options_of
from inkwash.request.generate import GenerateRequest
from inkwash.request.jsons import to_json
from inkwash.weights.plain import built, plain

LARGEST_FILE = 64 * 2**20
MOST = 100_000
LONGEST_KEY = 100
HASHED = 10


@dataclass(frozen=True)
class Line:
    """A line of a file, and what came of it: a request, or what is wrong."""

    number: int
    key: str = ""
    """Its own, or a hash of the request: the same for the same line of the same file, whenever it is read."""
    named: bool = False
    """The key is its own."""
    request: GenerateRequest | None = None
    wrong: InvalidRequest | None = None


def read_requests(path: Path, base: GenerateRequest) -> tuple[GenerateRequest, ...]:
    """The requests of a .txt or .jsonl file; what a line leaves open is as `base` says.

    Raises InvalidRequest if it cannot be read, naming the line that is wrong.
    """
    return requests_of(_text(path), base, is_json=_is_json(path))


def requests_of(text: str, base: GenerateRequest, *, is_json: bool) -> tuple[GenerateRequest, ...]:
    """A request for every line that is neither empty nor, among prompts, begins with #."""
    found = []
    for line in lines_of(text, base, is_json=is_json):
        if line.request is None:
            raise line.wrong or AssertionError(line)
        found.append(line.request)
    return tuple(found)


def read_lines(path: Path, base: GenerateRequest) -> list[Line]:
    """Every line of a file with its request, or with what is wrong with it.

    Raises InvalidRequest if the file cannot be read, or two lines have one key.
    """
    lines = list(lines_of(_text(path), base, is_json=_is_json(path)))
    often = Counter(line.key for line in lines if line.named)
    for key, times in often.items():
        if times > 1:
            raise InvalidRequest("key", key, f"the key of one line, not of {times}")
    return lines


def lines_of(text: str, base: GenerateRequest, *, is_json: bool) -> Iterator[Line]:
    """Lines one by one; those that are empty or, among prompts, begin with # are left out."""
    numbered = [(number, line.strip()) for number, line in enumerate(text.split("\n"), 1)]
    lines = [(number, line) for number, line in numbered if line and (is_json or not line.startswith("#"))]
    if len(lines) > MOST:
        raise InvalidRequest("from", f"{len(lines)} lines", f"at most {MOST}")
    seen: Counter[str] = Counter()
    for number, line in lines:
        try:
            asked, key = _asked(number, line) if is_json else (_prompt(number, line), None)
            request = _built(number, asked, base)
        except InvalidRequest as error:
            yield Line(number, wrong=error)
            continue
        if key is not None:
            yield Line(number, key, named=True, request=request)
            continue
        told = to_json(request)
        seen[told] += 1
        yield Line(number, sha256(f"{seen[told]} {told}".encode()).hexdigest()[:HASHED], request=request)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise InvalidRequest("from", str(path), f"a file of at most {LARGEST_FILE // 2**20} MB")
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest("from", str(path), f"a text file in UTF-8 ({error})") from None


def _is_json(path: Path) -> bool:
    return path.suffix.lower() in (".jsonl", ".ndjson")


def _built(number: int, asked: Mapping[str, Any], base: GenerateRequest) -> GenerateRequest:
    """What a line says of a group is added to what `base` says of it."""
    known = plain(base)
    both = {
        name: {**known[name], **value} if isinstance(value, dict) and isinstance(known.get(name), dict) else value
        for name, value in asked.items()
    }
    try:
        return built(GenerateRequest, {**known, **both})
    except InvalidRequest as error:
        raise InvalidRequest(f"line {number}: {error.field}", error.value, error.wanted) from None


def _prompt(number: int, line: str) -> dict[str, Any]:
    if not line.startswith(START):
        return {"prompt": line}
    try:
        return options_of(line)
    except InvalidRequest as error:
        raise InvalidRequest(f"line {number}: {error.field}", error.value, error.wanted) from None


def _asked(number: int, line: str) -> tuple[dict[str, Any], str | None]:
    """Fields of a request, and the key of the line, if it has one."""
    try:
        asked = json.loads(line)
    except (ValueError, RecursionError):
        raise InvalidRequest(f"line {number}", line, "a request in JSON") from None
    if isinstance(asked, str):
        return {"prompt": asked}, None
    if not isinstance(asked, dict):
        raise InvalidRequest(f"line {number}", line, "an object with fields of a request, or a prompt in quotes")
    key = asked.pop("key", None)
    if key is not None and not (isinstance(key, str) and 0 < len(key) <= LONGEST_KEY):
        raise InvalidRequest(f"line {number}: key", key, f"a text of at most {LONGEST_KEY} letters")
    named = {field.name for field in fields(GenerateRequest)}
    return {name: value for name, value in asked.items() if value is not None or name not in named}, key
