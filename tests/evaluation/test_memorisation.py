import pytest
import torch

from inkwash.evaluation.memorisation import copies, flipped, neighbours, small


def pictures(count: int, seed: int) -> torch.Tensor:
    return torch.randint(0, 256, (count, 3, 64, 64), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


def test_a_copy_is_found_and_a_new_picture_is_not() -> None:
    known = pictures(40, 1)
    found = neighbours(small(known[7:9]), small(flipped(known[7:9])), small(known))
    assert found.nearest.tolist() == [7, 8]
    assert found.copied.all()
    new = pictures(10, 2)
    assert not neighbours(small(new), small(flipped(new)), small(known)).copied.any()


def test_a_mirrored_copy_is_a_copy() -> None:
    known = pictures(40, 1)
    mirrored = flipped(known[3:4])
    found = neighbours(small(mirrored), small(flipped(mirrored)), small(known))
    assert found.nearest.item() == 3
    assert found.copied.all()


def test_the_two_nearest_are_those_of_the_plain_search() -> None:
    known, new = pictures(30, 1), pictures(300, 2)
    found = neighbours(small(new), small(flipped(new)), small(known))
    both = torch.stack([torch.cdist(small(each).double(), small(known).double()) for each in (new, flipped(new))])
    wanted = both.amin(0).sort(1).values
    torch.testing.assert_close(found.first, wanted[:, 0])
    torch.testing.assert_close(found.second, wanted[:, 1])


def test_distances_are_root_mean_squares() -> None:
    black, grey = torch.zeros(1, 3, 64, 64, dtype=torch.uint8), torch.full((1, 3, 64, 64), 51, dtype=torch.uint8)
    apart = neighbours(small(black), small(black), torch.cat([small(grey), small(grey)]))
    assert apart.first.item() == pytest.approx(0.2)


def test_the_summary_counts_copies() -> None:
    known, new = pictures(30, 1), pictures(3, 2)
    samples = torch.cat([known[:1], new])
    told = copies(neighbours(small(samples), small(flipped(samples)), small(known)))
    assert told.pictures == 4
    assert told.rate == 0.25
    assert told.closest_ratio < 1e-3
    assert told.nearest[0] <= told.nearest[1] <= told.nearest[2]
