"""Pickles without Python's unpickler: a small stack machine that never imports and never calls what a file names.

Classes and functions are only names. The few calls that rebuild tensors are understood; any other gives a placeholder,
and a name that honest weights have no use for refuses the whole file.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import BufferedIOBase
from pickletools import genops
from typing import IO, Any, cast
from warnings import catch_warnings, simplefilter

HARMLESS = (
    "torch", "numpy", "pytorch_lightning", "lightning", "lightning_fabric", "omegaconf", "collections", "typing",
    "pathlib", "_codecs", "argparse", "ldm", "safetensors", "diffusers", "transformers",
)  # fmt: skip
"""Packages whose objects lie in honest checkpoints; of any class they become placeholders, of no use to anybody."""
STORAGES: Mapping[str, str] = {
    "DoubleStorage": "F64", "FloatStorage": "F32", "HalfStorage": "F16", "BFloat16Storage": "BF16",
    "LongStorage": "I64",
    "IntStorage": "I32", "ShortStorage": "I16", "CharStorage": "I8", "ByteStorage": "U8", "BoolStorage": "BOOL",
}  # fmt: skip


class Refused(Exception):
    """The file is broken, or asks for what no weights need."""


@dataclass(frozen=True)
class Name:
    """A class or function that the pickle names; never looked up."""

    module: str
    name: str

    def __str__(self) -> str:
        """As Python writes it."""
        return f"{self.module}.{self.name}"


@dataclass(eq=False)
class Thing:
    """An object that was never made: what it would have been, and the state it would have had."""

    name: Name
    state: Any = None


@dataclass(frozen=True)
class Storage:
    """A run of numbers in the file."""

    dtype: str
    key: str
    count: int


@dataclass(frozen=True)
class View:
    """A tensor: some numbers of a storage."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


@dataclass
class Machine:
    """The stack, the marks and the memo of a pickle."""

    stack: list[Any] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)
    ignored: set[str] = field(default_factory=set)
    storages: dict[str, Storage] = field(default_factory=dict)

    def run(self, file: BufferedIOBase) -> Any:
        """What one pickle holds; the file stands behind it afterwards."""
        with catch_warnings():  # a spoilt text may hold escapes that Python warns of
            simplefilter("ignore", DeprecationWarning)
            for opcode, argument, _ in genops(cast(IO[bytes], file)):
                if opcode.name == "STOP":
                    return self.stack.pop()
                if opcode.name in DATA:
                    self.stack.append(argument)
                elif opcode.name in ACTS:
                    ACTS[opcode.name](self, argument)
                else:
                    raise Refused(f"its pickle uses {opcode.name}, which weights have no need for")
        raise Refused("its pickle does not end")

    def marked(self) -> list[Any]:
        """Everything above the last mark."""
        place = self.marks.pop()
        above = self.stack[place:]
        del self.stack[place:]
        return above

    def named(self, module: str, name: str) -> None:
        """A class or function by name."""
        if str(module).partition(".")[0] not in HARMLESS and (module, name) not in PLAIN:
            raise Refused(f"it asks for {module}.{name}, which weights have no need for")
        self.stack.append(Name(module, name))

    def reduce(self) -> None:
        """What would be a call."""
        arguments, function = self.stack.pop(), self.stack.pop()
        self.stack.append(self.called(function, arguments))

    def called(self, function: Any, arguments: Any) -> Any:
        """The few calls that build tensors, by our own hand; all others give a placeholder."""
        match function:
            case Name("torch._utils", "_rebuild_tensor_v2" | "_rebuild_tensor"):
                return View(arguments[0], arguments[1], tuple(arguments[2]), tuple(arguments[3]))
            case Name("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state"):
                return arguments[0]
            case Name("torch._tensor", "_rebuild_from_type_v2"):
                return self.called(arguments[0], arguments[2])
            case Name("collections", "OrderedDict") | Name("builtins" | "__builtin__", "dict"):
                return dict(arguments[0]) if arguments else {}
            case Name("torch", "Size") | Name("builtins" | "__builtin__", "list" | "tuple"):
                return tuple(arguments[0]) if arguments else ()
        name = function if isinstance(function, Name) else Name("", "call")
        self.ignored.add(str(name))
        return Thing(name)

    def build(self) -> None:
        """The state of an object."""
        state = self.stack.pop()
        if isinstance(self.stack[-1], Thing):
            self.stack[-1].state = state

    def items(self, values: list[Any]) -> None:
        """Keys and values into the dict below; keys that could not be names are left out."""
        if isinstance(self.stack[-1], dict):
            found = zip(values[::2], values[1::2], strict=True)
            self.stack[-1].update((key, value) for key, value in found if isinstance(key, str | int))

    def lengthen(self, values: list[Any]) -> None:
        """Values at the end of the list below."""
        if isinstance(self.stack[-1], list):
            self.stack[-1].extend(values)

    def stored(self) -> None:
        """A reference to numbers outside the pickle."""
        match self.stack.pop():
            case ("storage", Name("torch" | "torch.storage", kind), key, _, int(count), *view) if kind in STORAGES:
                if view and view[0] is not None:
                    raise Refused("its storages are views of others, as only very old files have them")
                self.storages[str(key)] = Storage(STORAGES[kind], str(key), count)
                self.stack.append(self.storages[str(key)])
            case other:
                raise Refused(f"it refers to {str(other)[:60]}, which is no storage of numbers")


def pairs(values: list[Any]) -> dict[Any, Any]:
    """Keys and values, one after the other."""
    return dict(zip(values[::2], values[1::2], strict=True))


DATA = ("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "STRING", "BINSTRING", "SHORT_BINSTRING",
        "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "FLOAT",
        "BINFLOAT")  # fmt: skip
PLAIN = {(module, name) for module in ("builtins", "__builtin__")
         for name in ("set", "frozenset", "list", "dict", "tuple", "int", "float", "str", "bool", "bytes", "bytearray",
                      "complex", "object", "slice", "range", "long", "unicode")}  # fmt: skip
ACTS: Mapping[str, Callable[[Machine, Any], object]] = {
    "PROTO": lambda m, _: None, "FRAME": lambda m, _: None,
    "MARK": lambda m, _: m.marks.append(len(m.stack)),
    "POP": lambda m, _: m.stack.pop(),
    "POP_MARK": lambda m, _: m.marked(),
    "DUP": lambda m, _: m.stack.append(m.stack[-1]),
    "NONE": lambda m, _: m.stack.append(None),
    "NEWTRUE": lambda m, _: m.stack.append(True), "NEWFALSE": lambda m, _: m.stack.append(False),
    "EMPTY_DICT": lambda m, _: m.stack.append({}), "EMPTY_TUPLE": lambda m, _: m.stack.append(()),
    "EMPTY_LIST": lambda m, _: m.stack.append([]), "EMPTY_SET": lambda m, _: m.stack.append([]),
    "TUPLE": lambda m, _: m.stack.append(tuple(m.marked())),
    "LIST": lambda m, _: m.stack.append(m.marked()), "FROZENSET": lambda m, _: m.stack.append(m.marked()),
    "TUPLE1": lambda m, _: m.stack.append((m.stack.pop(),)),
    "TUPLE2": lambda m, _: m.stack.append(tuple([m.stack.pop(), m.stack.pop()][::-1])),
    "TUPLE3": lambda m, _: m.stack.append(tuple([m.stack.pop(), m.stack.pop(), m.stack.pop()][::-1])),
    "APPEND": lambda m, _: m.lengthen([m.stack.pop()]),
    "APPENDS": lambda m, _: m.lengthen(m.marked()), "ADDITEMS": lambda m, _: m.lengthen(m.marked()),
    "SETITEM": lambda m, _: m.items([m.stack.pop(), m.stack.pop()][::-1]),
    "SETITEMS": lambda m, _: m.items(m.marked()),
    "DICT": lambda m, _: m.stack.append(pairs(m.marked())),
    "GET": lambda m, n: m.stack.append(m.memo[int(n)]),
    "BINGET": lambda m, n: m.stack.append(m.memo[n]), "LONG_BINGET": lambda m, n: m.stack.append(m.memo[n]),
    "PUT": lambda m, n: m.memo.update({int(n): m.stack[-1]}),
    "BINPUT": lambda m, n: m.memo.update({n: m.stack[-1]}), "LONG_BINPUT": lambda m, n: m.memo.update({n: m.stack[-1]}),
    "MEMOIZE": lambda m, _: m.memo.update({len(m.memo): m.stack[-1]}),
    "GLOBAL": lambda m, name: m.named(*name.split(" ", 1)),
    "STACK_GLOBAL": lambda m, _: m.named(*[m.stack.pop(), m.stack.pop()][::-1]),
    "REDUCE": lambda m, _: m.reduce(), "NEWOBJ": lambda m, _: m.reduce(),
    "BUILD": lambda m, _: m.build(),
    "BINPERSID": lambda m, _: m.stored(),
}  # fmt: skip
"""What every opcode does here; those not listed (INST, OBJ, EXT, BUFFER …) are refused."""
