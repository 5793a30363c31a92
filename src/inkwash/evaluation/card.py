"""The model card: a Markdown template filled with what was measured, and the sheets beside it."""

from pathlib import Path
from string import Template

from inkwash.errors import DataError
from inkwash.evaluation import table
from inkwash.evaluation.pets import Report
from inkwash.evaluation.result import Evaluation
from inkwash.evaluation.sheets import save_sheets
from inkwash.files import atomic
from inkwash.weights.bundle import Bundle
from inkwash.weights.manifest import MODELS

TEMPLATE = MODELS / "pets" / "CARD.template.md"


def write_card(
    report: Report, bundle: Bundle, path: Path, recipe: Path | None = None, *, overwrite: bool = False
) -> None:
    """Write the card, and its sheets into `evaluation/` beside it.

    `recipe` is a Markdown file that tells how the model was trained. Raises OutputError, or DataError without it.
    """
    text = card(report.evaluation, parts(bundle), _read(recipe) if recipe else "Not told.", _read(TEMPLATE))
    with atomic(path, overwrite=overwrite) as place:
        place.write_text(text, encoding="utf-8")
    save_sheets(report.sheets, path.parent / "evaluation", ".webp")


def card(found: Evaluation, parts: str, recipe: str, template: str) -> str:
    """The template with its $words filled in."""
    return Template(template).substitute(
        parts=parts,
        recipe=recipe.strip(),
        settings=found.settings,
        seconds=f"{found.seconds_per_picture:.2f}",
        pictures=f"{found.pictures:,}",
        classifier=found.classifier.capitalize(),
        breeds=str(found.breeds),
        bars=table.markdown(table.bar_rows(found)),
        adherence=table.markdown(table.adherence_rows(found)),
        closeness=table.markdown(table.closeness_rows(found)),
        reconstruction=table.markdown(table.reconstruction_rows(found)),
        memorisation=table.markdown(table.memorisation_rows(found)),
    )


def parts(bundle: Bundle) -> str:
    """A Markdown table of the networks and how many numbers each has learnt."""
    names = {"predictor": "noise predictor", "autoencoder": "autoencoder", "text": "text encoder"}
    rows = [("part", "what", "parameters")]
    for part, network in bundle.networks().items():
        spec = str(getattr(network, "spec", "")).replace("|", "/")
        rows.append((names[part], f"`{spec}`", f"{sum(weight.numel() for weight in network.parameters()):,}"))
    return f"{table.markdown(rows)}\n\nThe predictor tells {bundle.target} of noisy latents."


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read {path}: {error}") from None
