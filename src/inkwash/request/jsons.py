"""Requests as JSON, and back."""

import json
from dataclasses import fields
from typing import Any

from inkwash.errors import InvalidRequest
from inkwash.request.generate import GenerateRequest
from inkwash.weights.plain import built, plain

QUIET = ("control", "ip_adapter", "distilled")
"""Fields that no JSON tells of as long as they are off; `plain` leaves out groups."""


def to_json(request: GenerateRequest) -> str:
    """One line that `from_json` reads."""
    return json.dumps(told(request), ensure_ascii=False)


def from_json(text: str | bytes) -> GenerateRequest:
    """The inverse of `to_json`.  Raises InvalidRequest for what is not JSON and for unknown fields."""
    try:
        return built(GenerateRequest, json.loads(text))
    except (ValueError, RecursionError):
        raise InvalidRequest("request", text, "JSON") from None


def told(request: GenerateRequest) -> dict[str, Any]:
    """A request as JSON values, without the groups that are off."""
    off = {field.name for field in fields(request) if getattr(request, field.name) == field.default}
    return {name: value for name, value in plain(request).items() if name not in off or name not in QUIET}
