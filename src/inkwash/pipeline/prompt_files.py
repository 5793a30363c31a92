"""Lists of pictures to paint, from files: a prompt a line, or a request in JSON a line."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from inkwash.errors import InvalidRequest
from inkwash.pipeline.request import GenerateRequest
from inkwash.weights.plain import built, plain

LARGEST_FILE = 64 * 2**20
MOST = 100_000


def read_requests(path: Path, base: GenerateRequest) -> tuple[GenerateRequest, ...]:
    """The requests of a .txt or .jsonl file; what a line leaves open is as `base` says.

    Raises InvalidRequest if it cannot be read, naming the line that is wrong.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise InvalidRequest("from", str(path), f"a file of at most {LARGEST_FILE // 2**20} MB")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest("from", str(path), f"a text file in UTF-8 ({error})") from None
    return requests_of(text, base, is_json=path.suffix.lower() in (".jsonl", ".ndjson"))


def requests_of(text: str, base: GenerateRequest, *, is_json: bool) -> tuple[GenerateRequest, ...]:
    """A request for every line that is neither empty nor, among prompts, begins with #."""
    numbered = [(number, line.strip()) for number, line in enumerate(text.split("\n"), 1)]
    lines = [(number, line) for number, line in numbered if line and (is_json or not line.startswith("#"))]
    if len(lines) > MOST:
        raise InvalidRequest("from", f"{len(lines)} lines", f"at most {MOST}")
    return tuple(_request(number, line, base, is_json) for number, line in lines)


def _request(number: int, line: str, base: GenerateRequest, is_json: bool) -> GenerateRequest:
    asked = _asked(number, line) if is_json else {"prompt": line}
    try:
        return built(GenerateRequest, {**plain(base), **asked})
    except InvalidRequest as error:
        raise InvalidRequest(f"line {number}: {error.field}", error.value, error.wanted) from None


def _asked(number: int, line: str) -> dict[str, Any]:
    try:
        asked = json.loads(line)
    except (ValueError, RecursionError):
        raise InvalidRequest(f"line {number}", line, "a request in JSON") from None
    if isinstance(asked, str):
        return {"prompt": asked}
    if not isinstance(asked, dict):
        raise InvalidRequest(f"line {number}", line, "an object with fields of a request, or a prompt in quotes")
    named = {field.name for field in fields(GenerateRequest)}
    return {key: value for key, value in asked.items() if value is not None or key not in named}
