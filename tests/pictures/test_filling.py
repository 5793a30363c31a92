import torch

from inkwash.forward.schedule import FlowSchedule
from inkwash.pictures.filling import flowed, latents_filled, opened_in_time
from inkwash.rng import NoiseSource


def hole(*box: int) -> torch.Tensor:
    left, top, right, bottom = box
    found = torch.zeros(1, 1, 20, 30, dtype=torch.bool)
    found[..., top:bottom, left:right] = True
    return found


def test_one_colour_flows_everywhere_and_what_is_known_stays() -> None:
    colour = torch.tensor([0.5, -0.25, 1.0])[None, :, None, None].expand(1, 3, 20, 30)
    spoilt = torch.where(hole(5, 3, 28, 17), torch.full_like(colour, -9.0), colour)
    torch.testing.assert_close(flowed(spoilt, hole(5, 3, 28, 17)), colour.contiguous())
    photo = torch.randn(1, 3, 20, 30)
    filled = flowed(photo, hole(5, 3, 28, 17))
    assert torch.equal(filled[..., :5], photo[..., :5])
    assert filled.abs().max() <= photo.abs().max() + 1e-5


def test_colours_come_from_the_nearer_side() -> None:
    photo = torch.zeros(1, 3, 20, 30)
    photo[..., 15:] = 1
    row = flowed(photo, hole(10, 0, 20, 20))[0, 0, 10]
    assert row[11] < 0.3
    assert row[18] > 0.7
    assert bool((row[1:] >= row[:-1] - 1e-5).all())


def test_all_unknown_is_grey() -> None:
    assert (flowed(torch.ones(1, 3, 20, 30), hole(0, 0, 30, 20)) == 0).all()


def test_latents_are_noise_nothing_or_what_they_were() -> None:
    known, mask = torch.full((2, 4, 8, 8), 3.0), torch.zeros(1, 1, 8, 8)
    mask[..., 4:] = 1
    noise = NoiseSource.seeded([1, 2])
    assert torch.equal(latents_filled(known, mask, "original", noise), known)
    assert torch.equal(latents_filled(known, mask, "nothing", noise), known * (1 - mask))
    drawn = NoiseSource.seeded([1, 2]).draw((4, 8, 8))
    assert torch.equal(latents_filled(known, mask, "noise", noise)[..., 4:], drawn[..., 4:])


def test_places_open_when_so_much_of_the_way_is_left() -> None:
    strengths = torch.tensor([0.0, 0.25, 0.5, 1.0])[None, None, None]
    known, schedule = torch.zeros(1, 1, 1, 4), FlowSchedule()
    denoise = opened_in_time(strengths, known, schedule, torch.tensor(1.0), lambda x, _sigma: x)
    for sigma, free in ((1.0, [3]), (0.5, [3]), (0.333, [2, 3]), (0.14, [1, 2, 3]), (1e-6, [1, 2, 3])):
        found = denoise(torch.ones(1, 1, 1, 4), torch.tensor(sigma))
        assert found.flatten().nonzero().flatten().tolist() == free
