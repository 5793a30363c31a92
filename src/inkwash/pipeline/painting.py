"""A finished picture that knows how it was made."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from PIL import Image

from inkwash.metadata.infotext import parameters
from inkwash.metadata.record import CHUNK, Record
from inkwash.metadata.script import Side
from inkwash.pictures.picture import even_columns, grid, png, save
from inkwash.pipeline.batch import merged
from inkwash.request.generate import GenerateRequest


@dataclass(frozen=True)
class Painting:
    """One picture, the resolved request for it alone, and the record that repaints it to the last bit."""

    image: Image.Image
    request: GenerateRequest
    record: Record
    model: str
    """What the model calls itself."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """What other programs write of adapters and controls."""

    @property
    def seed(self) -> int:
        """The seed of this picture."""
        return self.request.seed or 0

    @property
    def parameters(self) -> str:
        """The settings as other programs write them."""
        files = self.record.model
        fingerprint = files.get("predictor.safetensors") or next(iter(files.values()), "")
        return parameters(self.request, self.model, fingerprint, self.record.version, self.settings)

    def png(self) -> bytes:
        """The PNG file: pixels, `parameters`, and the record."""
        return png(self.image, {"parameters": self.parameters, CHUNK: self.record.note()})

    def save(self, path: Path, *, overwrite: bool = False) -> None:
        """Write the PNG.  Raises OutputError if `path` is taken and `overwrite` is False, or cannot be written."""
        save(path, self.png(), overwrite=overwrite)

    def _repr_png_(self) -> bytes:
        return self.png()


def sheet(paintings: Sequence[Painting], record: Record, columns: int | None = None) -> bytes:
    """The PNG file of all paintings in rows; `record` repaints it to the last bit."""
    columns = columns or even_columns(len(paintings))
    whole = grid([painting.image for painting in paintings], columns)
    return png(whole, {CHUNK: replace(record, columns=columns).note()})


def grid_record(paintings: Sequence[Painting], sides: tuple[Side, ...]) -> Record:
    """How all cells of a grid were made; along an axis of models no model's files stand for all."""
    records = [painting.record for painting in paintings]
    alike = len({painting.request.choice for painting in paintings}) == 1
    return replace(
        records[0],
        requests=merged([painting.request for painting in paintings]),
        index=None,
        model=records[0].model if alike else {},
        inputs={path: sha256 for record in records for path, sha256 in record.inputs.items()},
        adapters={path: sha256 for record in records for path, sha256 in record.adapters.items()} if alike else {},
        widened=None,
        sides=sides,
    )


@dataclass(frozen=True)
class Gallery:
    """Paintings as a row of PIL images; a notebook shows them on one sheet."""

    paintings: tuple[Painting, ...]

    def __getitem__(self, index: int) -> Image.Image:
        return self.paintings[index].image

    def __len__(self) -> int:
        return len(self.paintings)

    def __iter__(self) -> Iterator[Image.Image]:
        return (painting.image for painting in self.paintings)

    def sheet(self, columns: int | None = None) -> Image.Image:
        """All pictures in rows; about as many columns as rows unless said."""
        return grid(list(self), columns)

    def _repr_png_(self) -> bytes:
        return self.paintings[0].png() if len(self) == 1 else png(self.sheet(), {})
