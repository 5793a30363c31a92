"""`python -m tools.fuzz TARGET`: feed a reader with bytes that nobody wrote, guided by what of its code they reach.

The search is atheris' (libFuzzer); without it the corpus alone is read. An input that shows a bug is kept in
tests/fuzz/corpus/TARGET, which the test suite reads every time. A target returns whether its input was accepted, and
raises for bugs only.
"""

import argparse
import importlib
import importlib.util
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FunctionType
from typing import Any
from zipfile import BadZipFile

from inkwash.errors import InvalidRequest, WeightsError
from inkwash.metadata.foreign import from_infotext
from inkwash.metadata.infotext_reading import read_infotext
from inkwash.text.prompt import parse, parse_unwanted, render
from inkwash.text.tree import MODES
from inkwash.weights.containers.gguf import open_gguf
from inkwash.weights.containers.jail import SIZES, read
from inkwash.weights.containers.machine import Machine, Refused
from inkwash.weights.header import header

CORPUS = Path(__file__).parent.parent / "tests/fuzz/corpus"
LONGEST = 4096
"""Bytes of an input."""
LARGEST_READ = 2**20
"""Bytes that a tensor of GGUF may have to be read while fuzzing."""
BROKEN = (ValueError, LookupError, TypeError, AttributeError, OSError, EOFError, NotImplementedError, RuntimeError,
          RecursionError, BadZipFile, zlib.error)  # fmt: skip
"""What a broken pickle may raise inside the jail, which tells of any that the file is broken."""


def prompt(data: bytes) -> bool:
    """The grammar of prompts: refused in one line, or a tree that says itself."""
    text, accepted = data.decode("utf-8", "replace"), False
    for mode in MODES:
        with suppress(InvalidRequest):
            found = parse(text, mode)
            parse_unwanted(text, mode)
            accepted = True
            if mode == "native" and parse(render(found)) != found:
                raise AssertionError(f"{text!r} is said otherwise: {render(found)!r}")
    return accepted


def infotext(data: bytes) -> bool:
    """The settings of other programs: any text reads; it makes a request, or is refused."""
    text = data.decode("utf-8", "replace")
    found = read_infotext(text)
    with suppress(InvalidRequest):
        from_infotext(text)
        return bool(found.settings)
    return False


def safetensors(data: bytes) -> bool:
    """A header: every tensor inside the file, or refused."""
    with suppress(WeightsError):
        found = header(data)
        if any(found.start + entry.end > len(data) for entry in found.entries.values()):
            raise AssertionError("a tensor lies outside the file")
        return True
    return False


def gguf(data: bytes) -> bool:
    """A whole file: its tensors read in the shapes that they promise, or it is refused."""
    with TemporaryDirectory() as folder, suppress(WeightsError):
        path = Path(folder) / "x.gguf"
        path.write_bytes(data)
        source = open_gguf(path)
        for name, slot in source.slots.items():
            if slot.numel < LARGEST_READ and tuple(source[name].shape) != slot.shape:
                raise AssertionError(f"{name} is not of the shape that it promised")
        return True
    return False


def pickled(data: bytes) -> bool:
    """Torch's files, old and new, and bare pickles: tensors inside the file, or an error; nothing named is run."""
    with suppress(Refused, *BROKEN):
        Machine().run(BytesIO(data))
    with suppress(Refused, *BROKEN):
        for dtype, shape, stride, begin, offset in read(BytesIO(data))["tensors"].values():
            reach = offset + sum((n - 1) * step for n, step in zip(shape, stride, strict=True)) + 1
            if 0 not in shape and begin + reach * SIZES[dtype] > len(data):
                raise AssertionError("a tensor lies outside the file")
        return True
    return False


TARGETS: Mapping[str, Callable[[bytes], bool]] = {
    "prompt": prompt,
    "infotext": infotext,
    "safetensors": safetensors,
    "gguf": gguf,
    "pickle": pickled,
}


def corpus(target: str) -> list[Path]:
    """The kept inputs of a target."""
    return sorted(path for path in (CORPUS / target).iterdir() if path.is_file())


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the corpus, then search on for as many seconds as wanted, if atheris is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=60)
    asked = parser.parse_args(arguments)
    for path in corpus(asked.target):
        TARGETS[asked.target](path.read_bytes())
    print(f"{asked.target}: {len(corpus(asked.target))} kept inputs read")
    if importlib.util.find_spec("atheris") is None:
        print("no search: pip install atheris")
        return 0
    return search(asked.target, asked.seconds)


def ours() -> Iterator[FunctionType]:
    """Every function of inkwash that is imported here: what the search is to be guided by."""
    for name in [name for name in sys.modules if name.startswith("inkwash.")]:
        for thing in vars(sys.modules[name]).values():
            inside = vars(thing).values() if isinstance(thing, type) else ()
            yield from (each for each in (thing, *inside) if isinstance(each, FunctionType) and each.__module__ == name)


def search(target: str, seconds: int) -> int:
    """libFuzzer on one target; it ends the process itself, with 77 and the input in a file if there is a bug."""
    engine: Any = importlib.import_module("atheris")
    for function in ours():
        engine.instrument_func(function)
    folder = CORPUS / target
    words = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-artifact_prefix={folder}/found-"]
    with TemporaryDirectory() as steps:  # inputs that reach new code, but show no bug
        engine.Setup([sys.argv[0], *words, steps, str(folder)], lambda data: TARGETS[target](data) and None)
        engine.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
