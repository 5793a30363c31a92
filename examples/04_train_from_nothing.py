"""Train a picture model from nothing, in two minutes of one core: coloured squares from words, on pixels themselves.

Shows the trainer without the command line: a course, a plan, and a loop that belongs to you.
"""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from inkwash.latent.pixelspace import PixelSpace
from inkwash.predictor.spec import Stage, UNetSpec
from inkwash.text.conditioning import Conditioner
from inkwash.text.encoder import TextEncoder, TextSpec
from inkwash.text.tokenizer import Tokenizer
from inkwash.training.config import OptimizerConfig, TrainConfig
from inkwash.training.data import Pictures
from inkwash.training.looks import Painted, Validation
from inkwash.training.parts import parts_of
from inkwash.training.predictor_course import predictor_course
from inkwash.training.run import Habits, prepare, run

COLOURS = {"red": (220, 30, 40), "green": (40, 170, 60), "blue": (40, 60, 210), "yellow": (240, 210, 40)}


def squares(count: int = 320) -> Pictures:
    """A square of one colour somewhere on white, 16 pixels wide."""
    chance = torch.Generator().manual_seed(0)
    pixels, captions = [], []
    for number in range(count):
        name = list(COLOURS)[number % 4]
        picture = torch.full((3, 16, 16), 255, dtype=torch.uint8)
        top, left = torch.randint(2, 6, (2,), generator=chance).tolist()
        picture[:, top : top + 8, left : left + 8] = torch.tensor(COLOURS[name], dtype=torch.uint8)[:, None, None]
        pixels.append(picture)
        captions.append((f"a {name} square",))
    return Pictures(torch.stack(pixels), tuple(map(str, range(count))), tuple(captions))


def words(pictures: Pictures) -> Conditioner:
    """An untrained text encoder tells four colours apart well enough."""
    tokenizer = Tokenizer.train({text for texts in pictures.captions for text in texts}, 540, 8)
    torch.manual_seed(0)
    spec = TextSpec(32, 1, 1, tokens=8, vocabulary=len(tokenizer), end=tokenizer.end, mask_padding=True)
    return Conditioner(tokenizer, TextEncoder(spec).eval())


CONFIG = TrainConfig(
    name="squares",
    predictor=UNetSpec((Stage(32), Stage(64, 1)), 32, 3, 3, blocks=1, head_width=32),
    size=16,
    images=6_400,
    batch=32,
    optimizer=OptimizerConfig(rate=2e-3, warm_up=640),
    precision="float32",
    validate_every=1_600,
    prompts=tuple(f"a {name} square" for name in COLOURS) * 2,
)


def main(out: Path, config: TrainConfig = CONFIG) -> Path:
    """Train, tell what happens, and return the last sheet."""
    torch.set_num_threads(1)
    pictures = squares()
    course = predictor_course(config, pictures, parts_of(PixelSpace(), words(pictures)), out / "cache", print)
    sheet = out
    for event in run(prepare(course, out), out, Habits()):
        if isinstance(event, Validation):
            print(f"{event.images_seen:6} pictures seen, held-out loss {event.found['loss']:.3f}")
        elif isinstance(event, Painted):
            sheet = event.path
    return sheet


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        sheet = main(Path(folder), replace(CONFIG))
        sheet.replace("squares.png")
    print("wrote squares.png")
