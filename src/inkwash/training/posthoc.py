"""Choose the width of the average when the run is over, from the snapshots it left.  (Karras et al. 2024, 3.2)"""

from pathlib import Path

from torch import Tensor

from inkwash.errors import DataError
from inkwash.training.average import Snapshot, mixed, mixture
from inkwash.weights.files import read


def snapshots(folder: Path) -> dict[Snapshot, Path]:
    """The snapshots in `folder`, which say in their names when they were taken and how wide they are."""
    found = {}
    for path in sorted(folder.glob("*-*.safetensors")):
        images, width = path.stem.split("-")
        found[Snapshot(int(images), float(width))] = path
    return found


def average_of_width(folder: Path, sigma_rel: float, until: int | None = None) -> dict[str, Tensor]:
    """The weights averaged with spread `sigma_rel` over the run's first `until` pictures (all, if None).

    Raises DataError if there are no snapshots, WeightsError if one is broken.
    """
    kept = {snapshot: path for snapshot, path in snapshots(folder).items() if until is None or snapshot.images <= until}
    if not kept:
        raise DataError(f"no snapshots in {folder}")
    wanted = Snapshot(until or max(snapshot.images for snapshot in kept), sigma_rel)
    shares = mixture(list(kept), wanted)
    return mixed((share, read(path).tensors) for share, path in zip(shares.tolist(), kept.values(), strict=True))
