"""Completion scripts: verbs, and the flags of every verb.

A shell asks when it starts, and must not wait until the options of all verbs have been built: flags.json holds them.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from inkwash.errors import InvalidRequest

FLAGS = Path(__file__).parent / "flags.json"
"""Written by `make flags`, and held to the options of the verbs by a test."""

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


def script(shell: str, verbs: Iterable[str]) -> str:
    """What a shell has to read.  Raises InvalidRequest for another shell."""
    if shell not in SHELLS:
        raise InvalidRequest("completion", shell, f"one of {', '.join(SHELLS)}")
    table = json.loads(FLAGS.read_text("utf-8"))
    known = {name: table[name] for name in verbs}
    cases = "\n".join(f'      {name}) words="{" ".join(known[name])}" ;;' for name in known)
    lines = "\n".join(
        f'complete -c inkwash -n "__fish_seen_subcommand_from {name}" -l {flag.removeprefix("--")}'
        for name in known
        for flag in known[name]
    )
    text = {"bash": BASH, "zsh": ZSH, "fish": FISH}[shell]
    return text.format(verbs=" ".join(known), cases=cases, lines=lines)
