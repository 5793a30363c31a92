"""Read before anything of inkwash is: jaxtyping's import hook finds our decorator in place of its own."""

import jaxtyping

from tools.checked import checked

jaxtyping.jaxtyped = lambda typechecker: checked
