from dataclasses import fields, replace

import pytest
import torch

from inkwash.types import OPTIONAL, TextStates, joined


def everything(batch: int = 3) -> TextStates:
    return TextStates(
        torch.randn(batch, 5, 8),
        pooled=torch.randn(batch, 4),
        keep=torch.rand(batch, 5) > 0.5,
        size=torch.rand(batch, 6),
        label=torch.arange(batch),
        guidance=torch.randn(batch, 7),
        beside=torch.randn(batch, 5, 2, 2),
        pictures=(torch.randn(batch, 4, 8), torch.randn(batch, 16, 8)),
    )


def parts(text: TextStates) -> list[torch.Tensor]:
    return [text.states, *(getattr(text, name) for name in OPTIONAL), *text.pictures]


def test_every_field_is_a_part() -> None:
    assert {field.name for field in fields(TextStates)} == {"states", *OPTIONAL, "pictures"}


def test_an_index_picks_prompts_in_all_parts() -> None:
    whole = everything()
    assert all(map(torch.equal, parts(whole[1:2]), [part[1:2] for part in parts(whole)]))


def test_repeating_sets_copies_side_by_side() -> None:
    assert everything().repeat(2).label.tolist() == [0, 0, 1, 1, 2, 2]
    assert all(len(part) == 6 for part in parts(everything().repeat(2)))


def test_joining_keeps_all_parts_in_order() -> None:
    one, two = everything(1), everything(2)
    wanted = [torch.cat(both) for both in zip(parts(one), parts(two), strict=True)]
    assert all(map(torch.equal, parts(joined(one, two)), wanted))


def test_what_one_side_lacks_neither_has() -> None:
    assert joined(everything(), replace(everything(), pooled=None)).pooled is None


def test_pictures_cannot_be_on_one_side_alone() -> None:
    with pytest.raises(ValueError, match="zip"):
        joined(everything(), replace(everything(), pictures=()))


def test_only_fractions_change_their_type() -> None:
    moved = everything().to("cpu", torch.float64)
    kinds = {name: getattr(moved, name).dtype for name in OPTIONAL}
    assert kinds.pop("keep") == torch.bool
    assert kinds.pop("label") == torch.int64
    assert {moved.states.dtype, *kinds.values(), *(part.dtype for part in moved.pictures)} == {torch.float64}
