"""Flags that several verbs share."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from tyro.conf import Suppress, UseAppendAction, arg
from tyro.constructors import PrimitiveConstructorSpec

from inkwash.errors import InvalidRequest
from inkwash.request.control import Control
from inkwash.request.generate import GenerateRequest
from inkwash.request.library import NOWHERE, Library
from inkwash.request.picture_prompt import PicturePrompt
from inkwash.request.templates import Templates, Written
from inkwash.request.written import read_group, written_group
from inkwash.weights.choice import Keeping
from inkwash.weights.plain import built, plain

Preview = Literal["auto", "blocks", "kitty", "off"]


Kind = TypeVar("Kind")


def in_a_word(kind: type[Kind], name: str) -> PrimitiveConstructorSpec[Kind]:
    """A group of a request in one word of the command line."""
    return PrimitiveConstructorSpec(
        nargs=1,
        metavar="MODEL,PICTURE[,NAME=VALUE…]",
        instance_from_str=lambda words: read_group(kind, words[0], name),
        is_instance=lambda value: isinstance(value, kind),
        str_from_instance=lambda value: [written_group(value)],
    )


WrittenControl = Annotated[Control, in_a_word(Control, "control")]
WrittenLook = Annotated[PicturePrompt, in_a_word(PicturePrompt, "ip_adapter")]


@dataclass(frozen=True, kw_only=True)
class RequestFlags(GenerateRequest):
    """How to paint.  None means: as the model likes it best."""

    prompt: Suppress[str] = ""
    written: Suppress[Written] = Written()
    templates: Annotated[Templates, arg(name="")] = Templates()
    """Prompts that stand for many."""
    library: Annotated[Library, arg(name="")] = NOWHERE
    """Where what prompts call by name lies."""
    control: UseAppendAction[tuple[WrittenControl, ...]] = ()
    """A ControlNet or T2I-Adapter and its picture: canny.safetensors,house.png,preprocessor=canny,weight=0.8. May come
    several times. Also threshold_a, threshold_b, begin, end (parts of the steps), mode (balanced, prompt, control),
    resize (crop, stretch, pad) and, for union ControlNets, type (openpose, depth, canny … or a number)."""
    ip_adapter: UseAppendAction[tuple[WrittenLook, ...]] = ()
    """An IP-Adapter and its pictures: ip-adapter.safetensors,cat.png,weight=0.6. May come several times. Also encoder
    (a folder or file of CLIP's vision tower), begin and end."""


@dataclass(frozen=True)
class ComputeFlags:
    """Where the work is done."""

    device: str = "auto"
    """auto, cpu, cuda or mps."""
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    """Of matrix products."""
    keeping: Keeping = "auto"
    """Weights of a checkpoint in memory: float32, or as in its file; auto: float32 where there is room. Pictures are
    the same."""
    room: float | None = None
    """Gigabytes of memory to do with; None: what is free."""

    @property
    def bytes(self) -> int | None:
        """The room."""
        from inkwash.ram import room_of

        return None if self.room is None else room_of(self.room)


AskedFor = Annotated[RequestFlags, arg(name="")]
"""As part of a verb's options: its flags have no prefix, those of its groups have the group's (--hires.scale)."""
Computed = Annotated[ComputeFlags, arg(name="")]


def requests(flags: RequestFlags, prompts: tuple[str, ...], seed: int) -> list[GenerateRequest]:
    """A request for each prompt, whose seeds follow one another.

    Raises InvalidRequest if there is no prompt, or the seeds run out of range.
    """
    if not prompts:
        raise InvalidRequest("prompt", "", 'given: inkwash paint "a photo of a cat"')
    shared = built(GenerateRequest, plain(flags))
    step = 0 if flags.subseed_strength else flags.count
    return [replace(shared, prompt=prompt, seed=seed + index * step) for index, prompt in enumerate(prompts)]


def read_prompts(path: Path) -> tuple[str, ...]:
    """The lines of a file that are not empty.  Raises InvalidRequest if it cannot be read."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest("prompts_file", str(path), f"a text file in UTF-8 ({error})") from None
    return tuple(line.strip() for line in lines if line.strip())
