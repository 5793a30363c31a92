"""Paint the pictures of the documentation anew, with the product itself: `make pictures`.

Without arguments all of them, else those named: `python tools/pictures.py peaks schedules`.
"""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from PIL import Image

import inkwash
from inkwash.cli.main import main as command
from inkwash.denoiser import NetworkDenoiser
from inkwash.forward.noising import add_noise, per_image
from inkwash.forward.schedule import STEPS, DiscreteSchedule, FlowSchedule, Schedule
from inkwash.pictures.picture import images_of, pixels_of
from inkwash.request.generate import GenerateRequest
from inkwash.rng import NoiseSource
from inkwash.show.canvas import FADED, INDIGO, INK, MOSS, RUST, sheet
from inkwash.show.plot import Axis, Curve, plot, ticks

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "docs/pictures"
PETS = ROOT / "examples/pets.txt"
CAT = "a photo of an orange cat"
LEVELS = (0.3, 1.0, 4.0)
SCALES = (1.0, 1.5, 2.5, 4.0, 7.0, 12.0)
LOOKS = ("a black cat", "a white cat", "an orange cat", "a pug dog", "a Samoyed dog", "a German shepherd dog")


def typed(*words: str) -> None:
    """Run a command as a user would; raises SystemExit if it fails."""
    if code := command([*words, "--overwrite"]):
        raise SystemExit(code)


def shrunk(name: str, width: int, colours: int = 0) -> None:
    """Make a sheet fit a page: at most `width` pixels wide, and drawings in a few `colours`."""
    with Image.open(PICTURES / name) as picture:
        whole = picture.convert("RGB")
    if whole.width > width:
        whole = whole.resize((width, round(whole.height * width / whole.width)), Image.Resampling.LANCZOS)
    if colours:
        whole = whole.quantize(colours, dither=Image.Dither.NONE)
    whole.save(PICTURES / name, optimize=True)


def painted_sheet() -> None:
    """What `make picture` paints."""
    typed("paint", "--prompts-file", str(PETS), "--seed", "0", "--sheet", str(PICTURES / "sheet.png"))


def forward() -> None:
    """A painted cat dissolves: photographs belong to others."""
    with TemporaryDirectory() as folder:
        cat = Path(folder) / "cat.png"
        typed("paint", CAT, "--seed", "1", "--out", str(cat), "--preview", "off")
        typed("forward", str(cat), "--no-film", "--out", str(PICTURES / "forward.png"))
    shrunk("forward.png", 1400)


def peaks() -> None:
    """Two peaks; its own command knows no --overwrite."""
    (PICTURES / "peaks.png").unlink(missing_ok=True)
    if code := command(["peaks", "--out", str(PICTURES / "peaks.png")]):
        raise SystemExit(code)
    shrunk("peaks.png", 1400, colours=128)


def explain() -> None:
    """Every step of one painting."""
    typed("explain", "a photo of a beagle dog", "--seed", "3", "--out", str(PICTURES / "explain.png"))
    shrunk("explain.png", 1800)


def spaces() -> None:
    """Pixel space beside latent space, measured on this machine."""
    typed("spaces", "--out", str(PICTURES / "spaces.png"))
    shrunk("spaces.png", 1400, colours=128)


def schedules() -> None:
    """The noise level over the step, for five schedules."""
    steps = torch.arange(1.0, STEPS - 1, 2)
    shown: tuple[tuple[str, Schedule, tuple[int, int, int]], ...] = (
        ("scaled linear", DiscreteSchedule.scaled_linear(), INDIGO),
        ("linear", DiscreteSchedule.linear(), MOSS),
        ("cosine", DiscreteSchedule.cosine(), RUST),
        ("scaled linear, zero SNR", DiscreteSchedule.scaled_linear().zero_terminal_snr(), FADED),
        ("flow", FlowSchedule(), INK),
    )
    curves = [Curve(steps.tolist(), schedule.sigma(steps).log10().tolist(), colour, name=name)
              for name, schedule, colour in shown]  # fmt: skip
    heights = tuple((float(power), f"{10.0**power:g}") for power in range(-2, 4))
    across = Axis("step t", 0, STEPS, ticks((0, 200, 400, 600, 800, 999)))
    whole = plot(curves, across, Axis("noise level σ", -2.4, 5.6, heights), (900, 560), "Five noise schedules")
    whole.save(PICTURES / "schedules.png", optimize=True)


def words() -> None:
    """Prompts that differ in a word or two, from the same noise."""
    painter = inkwash.load("pets")
    requests = [GenerateRequest(prompt=f"a photo of {look}", seed=7) for look in LOOKS]
    pictures = [painter.paint(request)[0] for request in requests]
    sheet(pictures, 6, LOOKS).save(PICTURES / "words.png", optimize=True)


def guidance() -> None:
    """Two prompts, the same noise, growing guidance."""
    painter = inkwash.load("pets")
    asked = [GenerateRequest(prompt=prompt, seed=5) for prompt in (CAT, "a photo of a beagle dog")]
    pictures = [painter.paint(replace(one, guidance=scale))[0] for one in asked for scale in SCALES]
    labels = [f"guidance {scale:g}" for scale in SCALES] * len(asked)
    sheet(pictures, len(SCALES), labels).save(PICTURES / "guidance.png", optimize=True)


@torch.inference_mode()
def training() -> None:
    """One exercise at three noise levels; latents are decoded to be seen."""
    painter = inkwash.load("pets")
    bundle = painter.engine.bundle
    picture = painter.paint(GenerateRequest(prompt=CAT, seed=1))[0]
    clean = bundle.autoencoder.encode(pixels_of([picture])).repeat(len(LEVELS), 1, 1, 1)
    sigma, eps = torch.tensor(LEVELS), NoiseSource.seeded([0]).like(clean[:1]).repeat(len(LEVELS), 1, 1, 1)
    x = add_noise(clean, sigma, eps)
    network = NetworkDenoiser(bundle.predictor, bundle.schedule, bundle.target, bundle.text([CAT] * len(LEVELS)))
    told = (x - network(x, sigma)) / per_image(sigma)
    columns = (clean, eps, x / (1 + per_image(sigma) ** 2).sqrt(), told)
    seen = [images_of(bundle.autoencoder.decode(column)) for column in columns]
    error = (told - eps).square().mean(dim=(1, 2, 3)).tolist()
    pictures = [column[row] for row in range(len(LEVELS)) for column in seen]
    labels = [
        text
        for level, loss in zip(LEVELS, error, strict=True)
        for text in ("1  a picture", "2  noise", f"3  noise added, sigma {level:g}", f"4  noise told, error {loss:.2f}")
    ]
    sheet([one.resize((192, 192), Image.Resampling.BICUBIC) for one in pictures], 4, labels).save(
        PICTURES / "training.png", optimize=True
    )


DRAWN: Mapping[str, Callable[[], None]] = {
    "sheet": painted_sheet,
    "forward": forward,
    "schedules": schedules,
    "explain": explain,
    "peaks": peaks,
    "spaces": spaces,
    "words": words,
    "guidance": guidance,
    "training": training,
}


def main(names: list[str]) -> int:
    """Draw what is named, or all."""
    os.chdir(ROOT)
    PICTURES.mkdir(parents=True, exist_ok=True)
    for name in names or DRAWN:
        DRAWN[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
