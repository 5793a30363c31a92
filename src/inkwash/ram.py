"""How much memory is free, and how what is mapped gives its own back; nothing but what the system tells by itself.

The least of these counts, where they are there:

/proc/meminfo      MemAvailable: free, and what the system would free for us
cgroups, 2 and 1   the limit of every group that holds this process, less what it uses and could not give back
RLIMIT_AS          what `ulimit -v` allows, less what is taken
sysconf            free pages, where there is no /proc
"""

import ctypes
import mmap
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from inkwash.errors import InvalidRequest

GIGA = 10**9
"""Bytes of a gigabyte, as people count who say how much memory a program may take."""
UNLIMITED = 2**60
"""Limits from here on are none."""
MINUTE = 0.01
"""Gigabytes; nobody has less to give."""


@dataclass(frozen=True)
class Version:
    """Where one version of cgroups says what."""

    line: str
    """How the line of /proc/self/cgroup begins that names the group; behind the first colon."""
    root: str
    limit: str
    usage: str
    reclaimable: str
    """The row of memory.stat that counts what could be given back: pages of files, long unused."""


VERSIONS = (
    Version(":", "sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"),
    Version("memory:", "sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)


def free_memory(root: Path = Path("/")) -> int:
    """Bytes that may still be taken without anything being killed; `UNLIMITED` where nobody tells.

    `root` is where /proc and /sys lie.
    """
    found = [*_available(root), *_groups(root), *_process(root)]
    return max(0, min(found or [*_pages(), UNLIMITED]))


def room_of(gigabytes: float) -> int:
    """Bytes to do with.  Raises InvalidRequest for what is no amount of memory."""
    if not MINUTE <= gigabytes <= UNLIMITED / GIGA:  # nor is nan
        raise InvalidRequest("room", gigabytes, f"gigabytes of memory, {MINUTE:g} at least")
    return round(gigabytes * GIGA)


def rested(maps: Sequence[mmap.mmap]) -> None:
    """Give back the pages of mapped files, which are read again where they are wanted; nothing written there is kept.

    The system's own copy of the file stays as long as there is room. What was freed goes back, too, where glibc keeps
    it. Elsewhere than on Linux nothing happens.
    """
    if sys.platform == "linux":
        for each in maps:
            each.madvise(mmap.MADV_DONTNEED)
        if maps and hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
            libc.malloc_trim(0)


def _available(root: Path) -> Iterator[int]:
    for line in _text(root / "proc/meminfo").splitlines():
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            yield int(rest.split()[0]) * 1024


def _groups(root: Path) -> Iterator[int]:
    for line in _text(root / "proc/self/cgroup").splitlines():
        told = line.partition(":")[2]
        for version in VERSIONS:
            if told.startswith(version.line):
                yield from _group(root / version.root, told.removeprefix(version.line).lstrip("/"), version)


def _group(top: Path, inside: str, version: Version) -> Iterator[int]:
    """What is left in a group and in those around it; in a container only the outermost may be there."""
    place = top / inside
    for folder in [place, *place.parents]:
        limit, usage = _text(folder / version.limit).strip(), _text(folder / version.usage).strip()
        if limit.isdigit() and usage.isdigit() and int(limit) < UNLIMITED:
            rows = dict(line.split() for line in _text(folder / "memory.stat").splitlines() if len(line.split()) == 2)
            yield int(limit) - int(usage) + int(rows.get(version.reclaimable, 0))
        if folder == top:
            return


def _process(root: Path) -> Iterator[int]:
    with suppress(ImportError):  # there is none on Windows
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        taken = _text(root / "proc/self/statm").split()
        if limit != resource.RLIM_INFINITY and taken:
            yield limit - int(taken[0]) * resource.getpagesize()


def _pages() -> Iterator[int]:
    with suppress(ValueError, OSError, AttributeError):
        yield os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
