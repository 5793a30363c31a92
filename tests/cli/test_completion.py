import shutil
import subprocess

import pytest

from inkwash.cli.completion import FLAGS, SHELLS, script
from inkwash.cli.main import VERBS
from inkwash.errors import InvalidRequest
from tools.flags import flags, written


@pytest.mark.parametrize("shell", SHELLS)
def test_every_verb_and_flag_is_completed(shell: str) -> None:
    text = script(shell, VERBS)
    assert [verb for verb in VERBS if verb not in text] == []
    assert "prompts-file" in text
    assert "subseed-strength" in text


def test_flags_are_those_of_the_options() -> None:
    found = flags("inkwash.cli.paint")
    assert {"--help", "--seed", "--negative-prompt", "--device", "--sheet"} <= found
    assert not {"--prompt", "--prompts", "--request", "--compute"} & found
    assert "--picture" not in flags("inkwash.cli.again")


def test_the_table_is_that_of_the_options() -> None:
    assert FLAGS.read_text("utf-8") == written(), "make flags"


def completed(line: str) -> set[str]:
    words = line.split(" ")
    ask = f"COMP_WORDS=({' '.join(repr(word) for word in words)}); COMP_CWORD={len(words) - 1}; _inkwash"
    done = subprocess.run(
        ["bash", "-c", f'{script("bash", VERBS)}\n{ask}; echo "${{COMPREPLY[@]}}"'],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_bash_completes() -> None:
    assert completed("inkwash e") == {"explain", "evaluate"}
    assert completed("inkwash paint --se") == {"--seed"}
    assert completed("inkwash nothing --se") == set()


@pytest.mark.parametrize("shell", SHELLS)
def test_scripts_have_no_syntax_error(shell: str) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    subprocess.run([program, "-n"], input=script(shell, VERBS), text=True, check=True)


@pytest.mark.parametrize("shell", ["", "tcsh"])
def test_other_shells_are_refused(shell: str) -> None:
    with pytest.raises(InvalidRequest, match="one of bash, zsh, fish"):
        script(shell, VERBS)
