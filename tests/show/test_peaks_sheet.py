import torch

from inkwash.forward.schedule import DiscreteSchedule
from inkwash.reverse.registry import SAMPLERS
from inkwash.reverse.spacing import karras
from inkwash.rng import NoiseSource
from inkwash.show.canvas import INDIGO, RUST
from inkwash.show.peaks import TwoPeaks, gather, tally
from inkwash.show.peaks_sheet import HIGH, NARROW, WIDE, Journey, peaks_sheet

SCHEDULE = DiscreteSchedule.scaled_linear()


def journey(peaks: TwoPeaks) -> Journey:
    sigmas = karras(SCHEDULE, 12)
    paths = gather(peaks, SAMPLERS["euler"], sigmas, 300, NoiseSource.seeded([0]))
    return Journey("Reverse", sigmas, paths, paths[-1] < 0)


def test_holds_a_row_for_every_journey() -> None:
    peaks = TwoPeaks()
    walk = journey(peaks)
    one, two = (peaks_sheet(peaks, SCHEDULE, [walk] * n, [("euler", tally(walk.paths[-1], peaks))]) for n in (1, 2))
    assert one.width == WIDE + 3 * NARROW + 40
    assert two.height - one.height == HIGH + 10


def test_the_end_is_blue_on_the_cats_side_and_red_on_the_dogs() -> None:
    peaks = TwoPeaks()
    sheet = peaks_sheet(peaks, SCHEDULE, [journey(peaks)], [])
    pixels = torch.frombuffer(bytearray(sheet.tobytes()), dtype=torch.uint8).reshape(sheet.height, sheet.width, 3)
    river = pixels[100:380, WIDE - 60 : WIDE].float()
    blue, red = (river[..., 2] - river[..., 0] > 40), (river[..., 0] - river[..., 2] > 40)
    rows = torch.arange(280.0)[:, None].expand(-1, 60)
    assert rows[red].mean() < rows[blue].mean()
    assert INDIGO[2] > INDIGO[0]
    assert RUST[0] > RUST[2]
