"""Write the captions of the pets set: captions.json for the predictor, text_captions.json for the text encoder.

python tools/caption_pets.py FOLDER_WITH_TARS OUT
"""

import json
import sys
from pathlib import Path

import torch

from inkwash.files import atomic
from inkwash.nn.imagenet import classifier
from inkwash.training.captioning import caption_set, read_table
from inkwash.training.data import read_pictures
from inkwash.training.text import picture_features


def main(data: Path, out: Path) -> None:
    """Read the set, look at every picture once, write two files of key -> captions."""
    out.mkdir(parents=True, exist_ok=True)
    pictures, eyes = read_pictures(data, 128), classifier("lite0")
    with torch.no_grad():
        logits = eyes.body._fc(picture_features(pictures.pixels, eyes, out))  # type: ignore[operator]
    said = caption_set(pictures, read_table(data / "metadata.csv"), logits)
    for name, captions in (("captions", said.variants), ("text_captions", said.for_text())):
        with atomic(out / f"{name}.json", overwrite=True) as part:
            part.write_text(json.dumps(captions, indent=0, ensure_ascii=False), encoding="utf-8")
        print(f"{out / name}.json: {len({text for many in captions.values() for text in many})} captions")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
