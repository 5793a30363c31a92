"""The hub's library is replaced: tests never ask the network."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from inkwash.errors import InkwashError, InvalidRequest, WeightsError
from inkwash.weights.hub import pull


class LocalEntryNotFoundError(Exception):
    """As the library names it."""


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What would have been asked of the library."""
    asked: list[tuple[Any, ...]] = []
    library = ModuleType("huggingface_hub")

    def hf_hub_download(name: str, file: str, *, local_files_only: bool) -> str:
        asked.append((name, file, local_files_only))
        return f"/cache/{name}/{file}"

    def snapshot_download(name: str, *, allow_patterns: list[str], local_files_only: bool) -> str:
        asked.append((name, allow_patterns, local_files_only))
        if name == "a/missing":
            raise LocalEntryNotFoundError("a long story\nwith advice")
        if name == "a/odd":
            raise OSError("Connection broke.\nTraceback")
        return f"/cache/{name}"

    library.hf_hub_download = hf_hub_download  # type: ignore[attr-defined]
    library.snapshot_download = snapshot_download  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "huggingface_hub", library)
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
    return asked


def test_a_folder_without_code_and_pickles(calls: list[tuple[Any, ...]]) -> None:
    assert pull("owner/name") == Path("/cache/owner/name")
    (_, patterns, offline) = calls[0]
    assert not offline
    assert not [pattern for pattern in patterns if pattern.endswith((".py", ".bin", ".ckpt", ".pt", "*"))]
    pull("owner/name", variant="fp16", offline=True)
    assert "*/*.fp16*.safetensors" in calls[1][1]
    assert "*/*.safetensors" not in calls[1][1]
    assert calls[1][2]


def test_one_file(calls: list[tuple[Any, ...]]) -> None:
    assert pull("owner/name", "unet/x.safetensors") == Path("/cache/owner/name/unet/x.safetensors")
    assert calls == [("owner/name", "unet/x.safetensors", False)]


@pytest.mark.parametrize("name", ["", "name", "a/b/c", "../x", "a/..", "https://x/y", "a b/c", "a/b\n"])
def test_names_that_are_none(calls: list[tuple[Any, ...]], name: str) -> None:
    with pytest.raises(InvalidRequest, match="OWNER/NAME"):
        pull(name)
    assert calls == []


@pytest.mark.parametrize("file", ["x.ckpt", "x.bin", "x.py", "../x.safetensors", "/etc/x.json"])
def test_files_that_are_not_read(calls: list[tuple[Any, ...]], file: str) -> None:
    with pytest.raises(InvalidRequest, match="file is"):
        pull("a/b", file)
    assert calls == []


def test_errors_are_one_line(calls: list[tuple[Any, ...]]) -> None:
    with pytest.raises(WeightsError, match=r"^cannot pull a/missing: it is not in the cache, and the network is not"):
        pull("a/missing")
    with pytest.raises(WeightsError, match=r"^cannot pull a/odd: Connection broke$"):
        pull("a/odd")


def test_without_the_library_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
    with pytest.raises(InkwashError, match=r"pip install 'inkwash\[hub\]'"):
        pull("a/b")
