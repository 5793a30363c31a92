"""A program of its own that reads a pickled checkpoint and can do nothing else.

Run by path with the file as standard input. It shuts itself in (no files or sockets can be opened, nothing written, no
process started, memory and time bounded) and then walks the pickle's opcodes with a machine of ours that never imports
or calls anything: classes are only names. Out comes JSON saying where in the file the numbers of each tensor lie.
"""

import codecs
import json
import os
import sys
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from io import BufferedIOBase, BytesIO
from typing import Any

from inkwash.weights.containers.machine import Machine, Refused, Thing, View

MEMORY, SECONDS = 2**31, 60
LARGEST_PICKLE, MOST_TENSORS, MOST_VISITS, DEEPEST = 64 * 2**20, 20_000, 200_000, 6
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LOCAL_HEADER = 30
ENCODINGS = ("ascii", "latin-1", "cp437", "utf-8", "unicode-escape", "raw-unicode-escape")
SIZES = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
WRAPPED = ("state_dict", "model_state_dict", "params_ema", "params", "module", "model")
"""Where programs put the weights among the other things they keep."""
Row = tuple[str, tuple[int, ...], tuple[int, ...], int, int]
"""Type, shape, stride, the byte where the storage begins, and how many numbers lie before the tensor in it."""


def main() -> None:
    """Read the checkpoint on standard input, print where its tensors lie or why it is refused."""
    file = os.fdopen(0, "rb", closefd=False)
    for encoding in ENCODINGS:  # while their modules can still be opened
        codecs.lookup(encoding)
    shut_in()
    try:
        told: dict[str, Any] = read(file)
    except Refused as refusal:
        told = {"error": str(refusal)}
    except (Exception, RecursionError, MemoryError) as error:  # noqa: BLE001  whatever a broken pickle does
        told = {"error": f"its pickle is broken ({type(error).__name__})"}
    sys.stdout.write(json.dumps(told))
    sys.stdout.flush()


def shut_in() -> None:
    """Give up what reading does not need; on systems without such limits the machine alone has to do."""
    with suppress(ImportError):
        import resource

        limits = {
            resource.RLIMIT_NOFILE: 3,  # standard input, output and error are open; nothing else will ever be
            resource.RLIMIT_NPROC: 0,
            resource.RLIMIT_FSIZE: 0,
            resource.RLIMIT_CORE: 0,
            resource.RLIMIT_CPU: SECONDS,
            resource.RLIMIT_AS: MEMORY,
        }
        for which, most in limits.items():
            with suppress(OSError, ValueError):
                resource.setrlimit(which, (most, most))


def read(file: BufferedIOBase) -> dict[str, Any]:
    """Both forms of torch's files: an archive of a pickle and the numbers, or pickles and the numbers behind them."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    machine = Machine()
    whole, starts = archived(file, machine) if file.read(4) == b"PK\x03\x04" else legacy(file, machine)
    tensors = {name: row(view, starts, size) for name, view in flat(unwrapped(whole))}
    if not tensors:
        raise Refused("it holds no tensors")
    return {"tensors": tensors, "ignored": sorted(machine.ignored)[:20]}


def archived(file: BufferedIOBase, machine: Machine) -> tuple[Any, dict[str, tuple[int, int]]]:
    """What the pickle holds, and the place and size in bytes of every storage, by key."""
    with zipfile.ZipFile(file) as archive:
        infos = {info.filename: info for info in archive.infolist()}
        if len(infos) > MOST_TENSORS:
            raise Refused(f"it claims {len(infos)} storages")
        name = next((name for name in infos if name.endswith("data.pkl") and name.count("/") <= 1), None)
        if name is None or infos[name].file_size > LARGEST_PICKLE:
            raise Refused("it is a zip archive without a data.pkl that could be read")
        order = name.removesuffix("data.pkl") + "byteorder"
        if order in infos and archive.open(order).read(8) != b"little":
            raise Refused("its numbers have the high bytes first")
        whole = machine.run(BytesIO(archive.open(name).read(LARGEST_PICKLE)))
        folder = name.removesuffix("data.pkl") + "data/"
        stored = {key.removeprefix(folder): info for key, info in infos.items() if key.startswith(folder)}
        return whole, {key: (begin(file, info), info.file_size) for key, info in stored.items()}


def begin(file: BufferedIOBase, info: zipfile.ZipInfo) -> int:
    """The byte where an entry's content begins."""
    if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
        raise Refused("its numbers are compressed; unpack and save it anew")
    file.seek(info.header_offset)
    head = file.read(LOCAL_HEADER)
    if len(head) < LOCAL_HEADER or not head.startswith(b"PK\x03\x04"):
        raise Refused("its archive is broken")
    lengths = int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
    return int(info.header_offset + LOCAL_HEADER + lengths)


def legacy(file: BufferedIOBase, machine: Machine) -> tuple[Any, dict[str, tuple[int, int]]]:
    """The form before torch 1.6: magic, version, machine, the object, the keys; then count and numbers of each."""
    end = file.seek(0, os.SEEK_END)
    file.seek(0)
    if Machine().run(file) != LEGACY_MAGIC:
        raise Refused("it is a pickle, but not torch's")
    Machine().run(file)
    Machine().run(file)
    whole = machine.run(file)
    keys = Machine().run(file)
    sizes = {key: SIZES[storage.dtype] for key, storage in machine.storages.items()}
    places: dict[str, tuple[int, int]] = {}
    for key in keys if isinstance(keys, list) else []:
        count = int.from_bytes(file.read(8), "little")
        if str(key) not in sizes:
            raise Refused("it holds numbers of a type that nothing tells")
        begin, length = file.tell(), count * sizes[str(key)]
        if length > end - begin:
            raise Refused("it is cut off")
        places[str(key)] = begin, length
        file.seek(begin + length)
    return whole, places


def unwrapped(whole: Any) -> Any:
    """The weights among what else a training keeps."""
    for name in WRAPPED:
        if isinstance(whole, dict) and isinstance(whole.get(name), dict):
            return whole[name]
    return whole


def flat(value: Any) -> Iterator[tuple[str, View]]:
    """Every tensor with the path to it, joined by dots."""
    todo: list[tuple[str, Any, int]] = [("", value, 0)]
    for visits in range(MOST_VISITS):
        if not todo:
            return
        path, each, depth = todo.pop()
        if isinstance(each, View):
            yield path or "tensor", each
        inside = each.state if isinstance(each, Thing) else each
        if isinstance(inside, dict) and isinstance(inside.get("_parameters"), dict):
            inside = inside["_parameters"]
        if isinstance(inside, dict) and depth < DEEPEST and visits < MOST_VISITS:
            todo += [(f"{path}.{key}" if path else str(key), inside[key], depth + 1) for key in reversed(inside)]
    raise Refused("it holds too many things")


def row(view: View, starts: dict[str, tuple[int, int]], size: int) -> Row:
    """A tensor as numbers, all of them inside the file."""
    store = view.storage
    if store.key not in starts:
        raise Refused("a tensor refers to numbers that are not there")
    place, held = starts[store.key]
    numbers = (view.offset, *view.shape, *view.stride)
    if not all(type(n) is int and 0 <= n < 2**48 for n in numbers) or len(view.shape) != len(view.stride):
        raise Refused("a tensor has a shape that is not whole numbers")
    reach = view.offset + sum((n - 1) * step for n, step in zip(view.shape, view.stride, strict=True)) + 1
    if 0 not in view.shape and (reach * SIZES[store.dtype] > held or place + held > size):
        raise Refused("it is cut off, or a tensor reaches beyond its numbers")
    return store.dtype, view.shape, view.stride, place, view.offset


if __name__ == "__main__":
    main()
