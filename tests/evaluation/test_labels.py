import torch

from inkwash.evaluation.labels import BREEDS, CATS, DOGS, rank, says_cat, share

WELL_KNOWN = {
    "Chihuahua": 151,
    "Maltese": 153,
    "beagle": 162,
    "Norwich terrier": 186,
    "golden retriever": 207,
    "Rottweiler": 234,
    "German shepherd": 235,
    "Siberian husky": 250,
    "Dalmatian": 251,
    "pug": 254,
    "Samoyed": 258,
    "Pomeranian": 259,
    "chow chow": 260,
    "standard poodle": 267,
    "Mexican hairless": 268,
}


def one_hot(index: int, height: float = 5.0) -> torch.Tensor:
    return torch.zeros(1, 1000).index_fill(1, torch.tensor([index]), height)


def test_every_dog_of_imagenet_has_one_name() -> None:
    assert len(BREEDS) == len(DOGS) == 118
    assert sorted(BREEDS.values()) == list(DOGS)


def test_well_known_breeds_have_their_class() -> None:
    assert {name: BREEDS[name] for name in WELL_KNOWN} == WELL_KNOWN


def test_the_best_answer_within_both_groups_decides() -> None:
    toaster = one_hot(859, 50.0)
    assert says_cat(toaster + one_hot(281)).item()
    assert says_cat(toaster + one_hot(287)).item()
    assert not says_cat(toaster + one_hot(151)).item()
    assert not says_cat(toaster + one_hot(268)).item()
    assert says_cat(one_hot(288, 50.0) + one_hot(CATS.start)).item()


def test_rank_counts_the_answers_before() -> None:
    logits = torch.arange(1000.0)[None].repeat(3, 1)
    assert rank(logits, torch.tensor([999, 995, 0])).tolist() == [0, 4, 999]


def test_share_of_nothing_is_nothing() -> None:
    assert share(torch.tensor([True, False, True, True])) == 0.75
    assert share(torch.zeros(0, dtype=torch.bool)) is None
