"""What is free is the least of what the system tells, in every way it has of telling."""

from mmap import ACCESS_COPY, PAGESIZE, mmap
from pathlib import Path

import pytest

from inkwash import ram
from inkwash.errors import InvalidRequest
from inkwash.ram import GIGA, UNLIMITED, free_memory, rested, room_of


def told(root: Path, files: dict[str, str]) -> Path:
    """A system whose /proc and /sys say this."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


MEMINFO = {"proc/meminfo": "MemTotal:  9000 kB\nMemFree:  1000 kB\nMemAvailable:    5000 kB\n"}


def test_available_memory(tmp_path: Path) -> None:
    assert free_memory(told(tmp_path, MEMINFO)) == 5000 * 1024


def test_the_limit_of_a_group_of_the_second_version(tmp_path: Path) -> None:
    group = {
        "proc/self/cgroup": "0::/user/painter\n",
        "sys/fs/cgroup/user/painter/memory.max": "3000000\n",
        "sys/fs/cgroup/user/painter/memory.current": "2000000\n",
        "sys/fs/cgroup/user/painter/memory.stat": "anon 1500000\ninactive_file 400000\n",
    }
    assert free_memory(told(tmp_path, MEMINFO | group)) == 1_400_000


def test_an_outer_group_counts_too(tmp_path: Path) -> None:
    group = {
        "proc/self/cgroup": "0::/user/painter\n",
        "sys/fs/cgroup/user/painter/memory.max": "max\n",
        "sys/fs/cgroup/user/painter/memory.current": "2000000\n",
        "sys/fs/cgroup/user/memory.max": "2500000\n",
        "sys/fs/cgroup/user/memory.current": "2000000\n",
    }
    assert free_memory(told(tmp_path, MEMINFO | group)) == 500_000


def test_the_limit_of_a_container_of_the_first_version(tmp_path: Path) -> None:
    group = {
        "proc/self/cgroup": "5:cpu:/x\n4:memory:/docker/abc\n",  # a path that only the host knows
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "1000000\n",
        "sys/fs/cgroup/memory/memory.usage_in_bytes": "600000\n",
        "sys/fs/cgroup/memory/memory.stat": "total_inactive_file 100000\n",
    }
    assert free_memory(told(tmp_path, MEMINFO | group)) == 500_000


def test_limits_that_are_none(tmp_path: Path) -> None:
    group = {
        "proc/self/cgroup": "4:memory:/\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": str(2**63 - 4096),
        "sys/fs/cgroup/memory/memory.usage_in_bytes": "600000\n",
    }
    assert free_memory(told(tmp_path, MEMINFO | group)) == 5000 * 1024


def test_what_ulimit_allows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (10**6, 10**6))
    pages = 100_000 // resource.getpagesize()
    root = told(tmp_path, MEMINFO | {"proc/self/statm": f"{pages} 1 1\n"})
    assert free_memory(root) == 10**6 - pages * resource.getpagesize()


def test_where_nobody_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ram, "_pages", lambda: iter(()))
    assert free_memory(tmp_path) == UNLIMITED


def test_this_machine_has_some() -> None:
    assert 10**6 < free_memory() <= UNLIMITED


@pytest.mark.parametrize("amount", [0.0, -1.0, float("nan"), float("inf")])
def test_no_amount_of_memory(amount: float) -> None:
    with pytest.raises(InvalidRequest, match=r"room is .*, but must be gigabytes of memory, 0\.01 at least"):
        room_of(amount)
    assert room_of(1.5) == 1.5 * GIGA


def test_pages_given_back_are_read_again(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"ink" + bytes(3 * PAGESIZE))
    with (tmp_path / "x").open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_COPY) as data:
        assert data[:3] == b"ink"
        rested([data])
        assert data[:3] == b"ink"
