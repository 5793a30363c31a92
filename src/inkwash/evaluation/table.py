"""An evaluation in words: aligned text for a terminal, the same cells for a model card."""

from collections.abc import Sequence

from inkwash.evaluation.labels import Share
from inkwash.evaluation.result import Bar, Evaluation, bars

Rows = Sequence[Sequence[str]]
"""The first row names the columns."""

COLUMNS = {
    "painted": "painted",
    "photographs": "photographs",
    "held_out": "held-out",
    "rebuilt": "reconstructed",
}


def table(found: Evaluation) -> str:
    """Everything, as text of fixed width."""
    head = f"{found.model}: {found.pictures} pictures, {found.settings}, {found.seconds_per_picture:.2f} s each"
    parts = {
        "bars": bar_rows(found),
        "obedience": adherence_rows(found),
        "distance to photographs": closeness_rows(found),
        "autoencoder on held-out photographs": reconstruction_rows(found),
        "nearest photograph of the training": memorisation_rows(found),
    }
    return "\n\n".join([head, *(f"{title}\n{aligned(rows)}" for title, rows in parts.items())]) + "\n"


def aligned(rows: Rows) -> str:
    """Columns as wide as their widest cell: the first flush left, the others flush right."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) if place == 0 else cell.rjust(width) for place, (cell, width) in enumerate(pairs))
        for pairs in (list(zip(row, widths, strict=True)) for row in rows)
    )


def markdown(rows: Rows) -> str:
    """The same cells as a Markdown table."""
    rule = ["---"] + ["---:"] * (len(rows[0]) - 1)
    return "\n".join(f"| {' | '.join(row)} |" for row in [rows[0], rule, *rows[1:]])


def bar_rows(found: Evaluation) -> Rows:
    """Every bar, its number, and whether it is met."""
    return [("bar", "found", "wanted", "met"), *(_bar(bar) for bar in bars(found))]


def adherence_rows(found: Evaluation) -> Rows:
    """Shares of right answers: painted beside real ones."""
    hands = [hand for hand in COLUMNS if hand in found.adherence]
    each = [found.adherence[hand] for hand in hands]
    rows: list[Sequence[str]] = [
        ("", *(COLUMNS[hand] for hand in hands)),
        ("cats that are cats", *(percent(one.cats) for one in each)),
        ("dogs that are dogs", *(percent(one.dogs) for one in each)),
        ("named breeds, top-1 / top-5", *(_pair(one.named.top1, one.named.top5) for one in each)),
        ("all breeds, top-1 / top-5", *(_pair(one.breeds.top1, one.breeds.top5) for one in each)),
    ]
    for breed in found.adherence["painted"].by_breed:
        hits = [one.by_breed.get(breed) for one in each]
        rows.append((f"  {breed}", *("-" if hit is None else _pair(hit.top1, hit.top5) for hit in hits)))
    return rows


def closeness_rows(found: Evaluation) -> Rows:
    """Distances to photographs with the same captions; those of other photographs are the floor."""
    name = f"on {found.classifier} features"
    rows: list[Sequence[str]] = [(name, "kernel x 1000", "Frechet", "precision", "recall", "pictures")]
    for hand, one in found.closeness.items():
        kernel = f"{1000 * one.kernel:.2f} ± {1000 * one.kernel_spread:.2f}"
        rows.append(
            (
                COLUMNS[hand],
                kernel,
                f"{one.frechet:.2f}",
                percent(one.precision),
                percent(one.recall),
                str(one.pictures),
            )
        )
    return rows


def reconstruction_rows(found: Evaluation) -> Rows:
    """What the autoencoder loses."""
    rows: list[Sequence[str]] = [
        ("", "pictures", "PSNR dB", "SSIM", "top-1 kept", "in top-5", "species kept", "breed before / after")
    ]
    for name, one in found.reconstruction.items():
        kept = [percent(share) for share in (one.top1_kept, one.top5_kept, one.species_kept)]
        breed = _pair(one.breed_before, one.breed_after)
        rows.append((name, str(one.pictures), f"{one.psnr:.2f}", f"{one.ssim:.4f}", *kept, breed))
    return rows


def memorisation_rows(found: Evaluation) -> Rows:
    """Painted pictures beside photographs that training never saw."""
    rows: list[Sequence[str]] = [("", "copies", "nearest 5 %", "50 %", "95 %", "closest d1/d2")]
    for hand, one in found.memorisation.items():
        for eyes, copies in (("pixels", one.pixels), ("features", one.features)):
            quantiles = (f"{distance:.3f}" for distance in copies.nearest)
            name = f"{COLUMNS[hand]}, {eyes}"
            rows.append((name, percent(copies.rate, 2), *quantiles, f"{copies.closest_ratio:.2f}"))
    return rows


def percent(share: Share, digits: int = 1) -> str:
    """0.987 -> 98.7 %."""
    return "-" if share is None else f"{100 * share:.{digits}f} %"


def _pair(first: Share, second: Share) -> str:
    return "-" if first is None else f"{percent(first)} / {percent(second)}"


def _bar(bar: Bar) -> Sequence[str]:
    value = "-" if bar.value is None else f"{bar.value:.1f}{bar.unit}"
    return (bar.name, value, f"{'<' if bar.most else '≥'} {bar.wanted:g}{bar.unit}", "yes" if bar.met else "no")
