"""Is it what the words say?  A classifier names the animals; the bars are shares of right answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from inkwash.evaluation.labels import BREEDS, Share, rank, says_cat, share
from inkwash.evaluation.views import Views

Logits = Float[Tensor, "n 1000"]


@dataclass(frozen=True)
class Hits:
    """How often the wanted class was the first of 1,000 answers, and among the first five; every breed weighs alike."""

    pictures: int
    top1: Share
    top5: Share


@dataclass(frozen=True)
class Adherence:
    """How pictures obey their prompts.

    `cats` and `dogs`: the best answer within both groups is of the right group. `breeds`: over all breeds with enough
    photographs that ImageNet has a class for; `named`: over the breeds that the bars name; `by_breed`: each of those.
    """

    cats: Share
    dogs: Share
    breeds: Hits
    named: Hits
    by_breed: Mapping[str, Hits]


def species(logits: Logits, wanted: Sequence[str]) -> tuple[Share, Share]:
    """The shares of cats that are cats and of dogs that are dogs."""
    cat = says_cat(logits)
    are = torch.tensor([name == "cat" for name in wanted])
    return share(cat[are]), share(~cat[~are])


def hits(logits: Logits, breeds: Sequence[str]) -> Hits:
    """The mean over breeds of top-1 and top-5; pictures of breeds that ImageNet does not know are left out."""
    each = by_breed(logits, breeds)
    return Hits(
        sum(one.pictures for one in each.values()),
        _mean([one.top1 for one in each.values()]),
        _mean([one.top5 for one in each.values()]),
    )


def by_breed(logits: Logits, breeds: Sequence[str]) -> Mapping[str, Hits]:
    """Top-1 and top-5 of every breed that ImageNet knows, in the order of first appearance."""
    found = {}
    for breed in dict.fromkeys(breeds):
        if breed in BREEDS:
            rows = [row for row, name in enumerate(breeds) if name == breed]
            place = rank(logits[rows], torch.full((len(rows),), BREEDS[breed]))
            found[breed] = Hits(len(rows), share(place < 1), share(place < 5))
    return found


def adherence(
    all_kinds: Views, wanted: Sequence[str], breeds: Sequence[str], named: Views, named_breeds: Sequence[str]
) -> Adherence:
    """`all_kinds` are cats and dogs with their species and breeds, `named` pictures of the named breeds alone."""
    cats, dogs = species(all_kinds.logits, wanted)
    return Adherence(
        cats,
        dogs,
        hits(all_kinds.logits, breeds),
        hits(named.logits, named_breeds),
        by_breed(named.logits, named_breeds),
    )


def _mean(shares: Sequence[Share]) -> Share:
    there = [one for one in shares if one is not None]
    return sum(there) / len(there) if there else None
