"""`inkwash pull`: a model from the Hugging Face Hub, into the cache that all programs share."""

import os
from dataclasses import dataclass
from typing import Annotated

from tyro.conf import Positional


@dataclass(frozen=True)
class PullOptions:
    """Download OWNER/NAME: configurations and safetensors, never code or pickles; prints where it lies.

    A download that broke off goes on where it was. No other command asks the network.
    """

    name: Annotated[str, Positional]
    """OWNER/NAME, as on the Hub."""
    file: str | None = None
    """Only this file of it."""
    variant: str | None = None
    """Only these weights: fp16, ema …"""
    offline: bool = False
    """Only look into the cache; HF_HUB_OFFLINE=1 does the same."""


def run(options: PullOptions) -> None:
    """Fetch what is missing."""
    from inkwash.weights.hub import pull

    offline = options.offline or os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on")
    print(pull(options.name, options.file, variant=options.variant, offline=offline))  # noqa: T201
