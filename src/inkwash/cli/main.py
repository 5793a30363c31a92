"""`inkwash VERB …`: finds the verb, and turns every error into one line and an exit code.

Nothing heavy is imported before a verb runs: help and completion answer at once.
"""

import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import Any, NamedTuple, get_type_hints

from inkwash import __version__
from inkwash.errors import InkwashError, InvalidRequest

INTERRUPTED, OUT_OF_MEMORY, BROKEN_PIPE = 130, 4, 141


class Verb(NamedTuple):
    """What a word of the command line stands for."""

    module: str
    line: str


VERBS: Mapping[str, Verb] = {
    "paint": Verb("inkwash.cli.paint", "paint pictures of a prompt"),
    "again": Verb("inkwash.cli.again", "repaint a picture from what its PNG says, byte for byte"),
    "grid": Verb("inkwash.cli.grid", "a labelled sheet: one prompt, and a few settings in all combinations"),
    "prepare": Verb("inkwash.cli.prepare", "make a hint for a ControlNet out of a picture: canny, lineart, depth …"),
    "explain": Verb("inkwash.cli.explain", "one sheet with every step of the way to a picture"),
    "forward": Verb("inkwash.cli.forward", "watch a photograph dissolve into noise, in pixels and in latents"),
    "peaks": Verb("inkwash.cli.peaks", "the whole idea in one dimension: two peaks, there and back"),
    "spaces": Verb("inkwash.cli.spaces", "pixel space against latent space, measured here"),
    "train": Verb("inkwash.cli.train", "train a model from nothing; the same command resumes"),
    "info": Verb("inkwash.cli.info", "what a checkpoint, an adapter or a picture is"),
    "convert": Verb("inkwash.cli.convert", "any checkpoint into safetensors, a file into a folder and back"),
    "merge": Verb("inkwash.cli.merge", "two models become one, weighted or block by block"),
    "lora": Verb("inkwash.cli.lora", "bake adapters into a checkpoint, extract one, make one smaller"),
    "pull": Verb("inkwash.cli.pull", "a model from the Hugging Face Hub"),
    "pack": Verb("inkwash.cli.pack", "put trained parts into one folder: a model that paints"),
    "evaluate": Verb("inkwash.cli.evaluate", "measure how good a model's pictures are"),
}

HELP = """inkwash {version}: a whole Stable Diffusion system

  {verbs}

  inkwash VERB --help            what a verb can do
  inkwash --version
  inkwash --completion SHELL     a script for bash, zsh or fish

Paths of what was written go to standard output, everything else to standard error.
Exit codes: 0 done, 1 a bug, 2 a request that cannot be served, 3 broken weights, 4 out of memory,
            5 a result that cannot be written, 130 interrupted."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; INKWASH_TRACEBACK=1 shows where an error came from."""
    try:
        return answered(list(sys.argv[1:] if arguments is None else arguments))
    except SystemExit as end:  # a verb told its help
        return int(end.code or 0)
    except BrokenPipeError:  # the reader of our output has left: inkwash --help | head -1
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except KeyboardInterrupt:
        return complained("interrupted", INTERRUPTED)
    except Exception as error:  # the user gets a line, never a traceback
        if os.environ.get("INKWASH_TRACEBACK") == "1":
            raise
        return complained(*explained(error))


def answered(words: list[str]) -> int:
    """Do what the words say."""
    if not words or words[0] in ("--help", "-h", "help"):
        told(
            HELP.format(
                version=__version__, verbs="\n  ".join(f"{name:10} {verb.line}" for name, verb in VERBS.items())
            )
        )
    elif words[0] in ("--version", "-V"):
        told(f"inkwash {__version__}")
    elif words[0] == "--completion":
        from inkwash.cli.completion import script

        told(script(words[1] if len(words) > 1 else "", VERBS))
    else:
        return carried_out(words[0], words[1:])
    return 0


def carried_out(name: str, words: list[str]) -> int:
    """Run a verb: its options are the dataclass that its `run` takes."""
    if name not in VERBS:
        close = get_close_matches(name, VERBS, 1)
        raise InvalidRequest("verb", name, f"one of {', '.join(VERBS)}{f'; did you mean {close[0]}?' if close else ''}")
    run: Callable[[Any], None] = import_module(VERBS[name].module).run
    from inkwash.cli.parsing import parsed

    options = parsed(get_type_hints(run)["options"], name, words)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    run(options)
    return 0


def explained(error: Exception) -> tuple[str, int]:
    """One line for the user, and an exit code."""
    if isinstance(error, InkwashError):
        return str(error), error.exit_code
    if isinstance(error, MemoryError) or "not enough memory" in str(error) or "can't allocate memory" in str(error):
        return "out of memory: fewer or smaller pictures take less", OUT_OF_MEMORY
    first = str(error).partition("\n")[0]
    return f"a bug, sorry: {type(error).__name__}: {first} (INKWASH_TRACEBACK=1 tells where)", 1


def complained(line: str, code: int) -> int:
    """Say one line on standard error, with nothing in it that steers a terminal."""
    clean = "".join(letter if letter.isprintable() else " " for letter in line)
    print(f"inkwash: {clean}", file=sys.stderr)  # noqa: T201
    return code


def told(text: str) -> None:
    """Print what was asked for on standard output."""
    print(text, flush=True)  # noqa: T201
