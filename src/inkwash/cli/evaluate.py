"""`inkwash evaluate`: a model's numbers beside those of photographs, and sheets to judge it by eye."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional

from inkwash.errors import InvalidRequest, OutputError

if TYPE_CHECKING:
    from inkwash.evaluation.views import Told


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions:
    """Measure a model: obedience, distance to photographs, reconstruction, memorisation."""

    model: Annotated[str, Positional] = "pets"
    """A shipped model, or a folder with a model.json."""
    data: Path
    """The photographs: a folder with WebDataset shards and metadata.csv."""
    pictures: int = 1000
    """Cats and dogs to paint; fewer for a quick look, all else shrinks with them."""
    json: Path | None = None
    """Where the numbers go; evaluation.json in `out` unless said."""
    out: Path = Path("runs/evaluate")
    """A folder for the numbers, the sheets, and what the classifier saw in the photographs."""
    card: Path | None = None
    """Write the model card here, too; sheets it shows go beside it."""
    recipe: Path | None = None
    """Markdown for the card: how the model was trained."""
    overwrite: bool = False
    """Replace the JSON and the card that you name, if they are there."""
    device: str = "auto"
    """cpu, cuda, mps or auto."""


def run(options: EvaluateOptions) -> None:
    """Measure, then print the table to standard output."""
    _possible(options)
    from inkwash.device import compute, keep_freed_memory
    from inkwash.evaluation.card import write_card
    from inkwash.evaluation.pets import Sizes, evaluate_pets
    from inkwash.evaluation.result import write_json
    from inkwash.evaluation.sheets import save_sheets
    from inkwash.evaluation.subject import subject_of
    from inkwash.evaluation.table import table
    from inkwash.pipeline.engine import Engine
    from inkwash.weights.choice import ModelChoice
    from inkwash.weights.models import open_model

    keep_freed_memory()
    sizes = Sizes.of(options.pictures)
    bundle = open_model(ModelChoice(options.model))
    with voice() as told:
        report = evaluate_pets(
            subject_of(Engine(bundle, compute(options.device))), options.data, options.out, sizes, told
        )
    numbers = options.json or options.out / "evaluation.json"
    write_json(report.evaluation, numbers, overwrite=options.overwrite or options.json is None)
    written = [numbers, *save_sheets(report.sheets, options.out)]
    if options.card is not None:
        write_card(report, bundle, options.card, options.recipe, overwrite=options.overwrite)
        written.append(options.card)
    print(table(report.evaluation), *written, sep="\n")  # noqa: T201


def _possible(options: EvaluateOptions) -> None:
    """Refuse at once what would fail after an hour."""
    for path in (options.json, options.card):
        if path is not None and path.exists() and not options.overwrite:
            raise OutputError(f"{path} exists already; choose another name or allow overwriting")
    if not options.data.is_dir():
        raise InvalidRequest("data", str(options.data), "a folder with WebDataset shards and metadata.csv")
    if options.recipe is not None and not options.recipe.is_file():
        raise InvalidRequest("recipe", str(options.recipe), "a Markdown file")


@contextmanager
def voice() -> Iterator["Told"]:
    """A bar that starts anew for every part of the work."""
    from inkwash.cli.progress import bar

    with bar("measuring", total=1) as line:

        def told(what: str, done: int, of: int) -> None:
            line.progress.update(line.task, description=what, total=of)
            line.at(done)

        yield told
