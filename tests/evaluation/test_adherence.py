import pytest
import torch

from inkwash.evaluation.adherence import by_breed, hits, species


def answering(*answers: tuple[int, ...]) -> torch.Tensor:
    """Logits whose best answers are these, in this order."""
    logits = torch.zeros(len(answers), 1000)
    for row, places in enumerate(answers):
        for height, place in enumerate(reversed(places)):
            logits[row, place] = 1.0 + height
    return logits


def test_species_are_counted_apart() -> None:
    logits = answering((281,), (151,), (268,), (859, 285))
    assert species(logits, ["cat", "cat", "dog", "cat"]) == (pytest.approx(2 / 3), 1.0)
    assert species(logits[:1], ["cat"]) == (1.0, None)


def test_top_one_and_top_five() -> None:
    logits = answering((162,), (1, 2, 3, 4, 162), (1, 2, 3, 4, 5, 162))
    found = hits(logits, ["beagle"] * 3)
    assert (found.pictures, found.top1, found.top5) == (3, pytest.approx(1 / 3), pytest.approx(2 / 3))


def test_every_breed_weighs_alike() -> None:
    logits = answering((162,), (162,), (162,), (1,))
    assert hits(logits, ["beagle", "beagle", "beagle", "pug"]).top1 == 0.5
    assert by_breed(logits, ["beagle", "beagle", "beagle", "pug"])["beagle"].top1 == 1


def test_breeds_that_imagenet_does_not_know_are_left_out() -> None:
    found = hits(answering((254,), (254,), (254,)), ["pug", "American bulldog", ""])
    assert (found.pictures, found.top1) == (1, 1)
    nothing = hits(answering((254,)), ["American bulldog"])
    assert (nothing.pictures, nothing.top1, nothing.top5) == (0, None, None)
