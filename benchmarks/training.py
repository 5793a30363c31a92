"""One training step of the predictor: our network beside diffusers', and our trainer beside its training script."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import product

import torch
from torch import nn

from benchmarks.lessons import Turn, difference, drawn, jogged, pupil, scripted
from benchmarks.report import Section
from benchmarks.rival import rival
from benchmarks.settings import Settings, dtypes
from benchmarks.team import leading
from benchmarks.timing import Times, alternated
from inkwash.device import compute
from inkwash.predictor.unet import UNet

SCRIPT = "diffusers' training script, float32"


def measure(settings: Settings) -> Section:
    """All contestants in turns, each with every core."""
    torch.manual_seed(0)
    cores = torch.get_num_threads()
    ours = jogged(UNet(settings.spec))
    networks: dict[str, nn.Module] = {"diffusers": rival(ours), "inkwash": ours}
    ours.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    lesson = drawn(settings)
    agreed = difference(networks["inkwash"], networks["diffusers"], lesson)
    turns: dict[str, Turn] = {
        f"{name} network, {dtype}": pupil(network, lesson, settings.lessons, compute("cpu", dtype))
        for (name, network), dtype in product(networks.items(), dtypes())
    }
    turns[SCRIPT] = scripted(rival(ours), lesson, settings.lessons)
    with trainers(settings, cores) as led:
        times = alternated({name: threaded(turn, cores) for name, turn in turns.items()} | led, settings.rounds)
    million = sum(parameter.numel() for parameter in ours.parameters()) / 1e6
    return Section(
        "Training step",
        f"{settings.batch} latents of {settings.spec.channels_in} × {settings.side} × {settings.side} with "
        f"{settings.tokens} tokens; {million:.1f} M parameters, the same weights in both networks (answers differ "
        f"by {agreed:.1e} at most). *Network*: forward, backward, clipping and fused AdamW, the same for both; ours in "
        "channels-last memory and with quick convolutions (Winograd's, in float32), as our trainer has it, "
        "diffusers' as it comes. *Training script*: AdamW as torch has it by default and diffusers' EMAModel. "
        "*Trainer*: ours, whole: it draws noise and levels, learns, and keeps two averages; its processes "
        "share the batch. "
        f"{cores} threads, or {cores} processes of one thread. Median of {settings.rounds} alternating turns of "
        f"{settings.lessons} steps.",
        ("who", "images/s", "seconds of a turn", *(f"beside {other}" for other in others())),
        tuple(row(name, times, settings) for name in times),
    )


def others() -> tuple[str, ...]:
    """Whom everybody is compared with."""
    return (*(f"diffusers network, {dtype}" for dtype in dtypes()), SCRIPT)


def row(name: str, times: dict[str, Times], settings: Settings) -> tuple[str, ...]:
    """One contestant: its speed, and its speed over those of diffusers."""
    mine = times[name]
    speed = settings.batch * settings.lessons / mine.seconds
    return (name, f"{speed:.1f}", mine.spread, *(f"{mine.faster_than(times[other]):.2f} ×" for other in others()))


def threaded(turn: Turn, threads: int) -> Turn:
    """The turn with so many threads, whatever the one before had."""

    def act() -> None:
        torch.set_num_threads(threads)
        turn()

    return act


@contextmanager
def trainers(settings: Settings, cores: int) -> Iterator[dict[str, Turn]]:
    """Our trainer as one process, and as one per core where there are more and the batch can be shared."""
    shared = cores > 1 and settings.batch % cores == 0
    with ExitStack() as leaders:
        turns = {}
        for dtype, processes in product(dtypes(), (1, cores) if shared else (1,)):
            turn = leaders.enter_context(leading(settings, processes, dtype))
            told = "1 process" if processes == 1 else f"{processes} processes"
            turns[f"inkwash trainer, {dtype}, {told}"] = threaded(turn, cores // processes)
        yield turns
