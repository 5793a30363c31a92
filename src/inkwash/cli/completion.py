"""Completion scripts: verbs, and the flags of every verb, drawn from its dataclass of options."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from importlib import import_module
from typing import Any, get_args, get_type_hints

from inkwash.errors import InvalidRequest

SHELLS = ("bash", "zsh", "fish")
BASH = """_inkwash() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" words="{verbs} --help --version --completion"
  if [ "$COMP_CWORD" -gt 1 ]; then
    case "${{COMP_WORDS[1]}}" in
{cases}
      *) words="" ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -o default -F _inkwash inkwash"""
ZSH = "autoload -U bashcompinit && bashcompinit\n" + BASH
FISH = """complete -c inkwash -n __fish_use_subcommand -f -a "{verbs}"
{lines}"""


def script(shell: str, verbs: Mapping[str, Any]) -> str:
    """What a shell has to read; `verbs` maps names to their modules.  Raises InvalidRequest for another shell."""
    if shell not in SHELLS:
        raise InvalidRequest("completion", shell, f"one of {', '.join(SHELLS)}")
    known = {name: sorted(flags(verb.module)) for name, verb in verbs.items()}
    cases = "\n".join(f'      {name}) words="{" ".join(known[name])}" ;;' for name in known)
    lines = "\n".join(
        f'complete -c inkwash -n "__fish_seen_subcommand_from {name}" -l {flag.removeprefix("--")}'
        for name in known
        for flag in known[name]
    )
    text = {"bash": BASH, "zsh": ZSH, "fish": FISH}[shell]
    return text.format(verbs=" ".join(known), cases=cases, lines=lines)


def flags(module: str) -> set[str]:
    """--flag for every option of a verb."""
    options = get_type_hints(import_module(module).run)["options"]
    return {f"--{name.replace('_', '-')}" for name in _names(options)} | {"--help"}


def _names(options: Any) -> Iterator[str]:
    hints, marked = get_type_hints(options), get_type_hints(options, include_extras=True)
    for field in fields(options):
        if "Suppress" in str(marked[field.name]):
            continue
        if is_dataclass(hints[field.name]):
            prefix = "" if "name=''" in str(marked[field.name]) else f"{field.name}."
            yield from (prefix + name for name in _names(hints[field.name]))
        elif not any("Positional" in str(mark) for mark in get_args(marked[field.name])[1:]):
            yield field.name
