"""Models from the Hugging Face Hub, through its own library: locked, resumed, kept in the cache that programs share.

The only place that may ask the network, and only when `inkwash pull` is called.
"""

import os
import re
from pathlib import Path

from inkwash.errors import InkwashError, InvalidRequest, WeightsError

NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
FOLDER = ("*.json", "*.txt", "*.safetensors", "*/*.json", "*/*.txt", "*/*.model", "*/*.safetensors")
"""What a diffusers folder is made of; never code and never pickles."""
READABLE = (".safetensors", ".gguf", ".json", ".sft")


def pull(name: str, file: str | None = None, *, variant: str | None = None, offline: bool = False) -> Path:
    """Download OWNER/NAME, or one file of it, into the cache; what is there already is not fetched again.

    Raises InvalidRequest for a name that cannot be one, WeightsError in one line for whatever keeps it from coming.
    """
    if not NAME.fullmatch(name):
        raise InvalidRequest("name", name, "OWNER/NAME, as on the Hub")
    if file is not None and (not file.endswith(READABLE) or ".." in file or file.startswith("/")):
        raise InvalidRequest("file", file, f"a file of the repository that ends in {', '.join(READABLE)}")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        from huggingface_hub import hf_hub_download, snapshot_download
    except ImportError:
        raise InkwashError("pull needs huggingface_hub: pip install 'inkwash[hub]'") from None
    try:
        if file is not None:
            return Path(hf_hub_download(name, file, local_files_only=offline))
        return Path(snapshot_download(name, allow_patterns=_patterns(variant), local_files_only=offline))
    except Exception as error:  # noqa: BLE001  the library raises errors of four other libraries
        raise WeightsError(f"cannot pull {name}: {_line(error)}") from None


def _patterns(variant: str | None) -> list[str]:
    """Which files are wanted: all variants, or with `variant` only its weights."""
    if variant is None:
        return list(FOLDER)
    plain = [pattern for pattern in FOLDER if "safetensors" not in pattern]
    return [*plain, f"*.{variant}*.safetensors", f"*/*.{variant}*.safetensors"]


def _line(error: Exception) -> str:
    """The first sentence of what the library says, without its advice."""
    known = {
        "LocalEntryNotFoundError": "it is not in the cache, and the network is not asked or does not answer",
        "OfflineModeIsEnabled": "it is not in the cache, and offline mode is on",
        "RepositoryNotFoundError": "there is no such repository, or it is private",
        "GatedRepoError": "its owner wants to be asked first: see its page on the Hub",
        "EntryNotFoundError": "there is no such file in it",
        "RemoteEntryNotFoundError": "there is no such file in it",
        "IncompleteSnapshotError": "it is only partly in the cache",
    }
    said = str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__
    return known.get(type(error).__name__, said)
