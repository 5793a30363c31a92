"""The sheet: what stands in which column, and where the ink goes."""

import numpy as np
import pytest
import torch
from PIL import Image

from inkwash.pipeline.engine import Engine
from inkwash.request.generate import GenerateRequest
from inkwash.show.canvas import RUST
from inkwash.show.explain import Explanation, Word, explain
from inkwash.show.explain_sheet import CELL, cells, explained, washed


@pytest.fixture(scope="module")
def found(engine: Engine) -> Explanation:
    request = GenerateRequest(prompt="a cat", sampler="euler_ancestral", steps=3, seed=1)
    return explain(engine, request, rows=3)


def test_columns_are_named_in_order(found: Explanation) -> None:
    row = cells(found.moments[0])
    assert [cell.column for cell in row] == [
        "noisy latents",
        "predicted noise",
        "predicted clean",
        "drift",
        "random move",
        "“a”",
        "“cat”",
    ]
    assert [cell.opens for cell in row] == [False, False, False, True, False, True, False]


def test_lengths_stand_under_the_moves(found: Explanation) -> None:
    moment = found.moments[0]
    row = {cell.column: cell.number for cell in cells(moment)}
    wanted = moment.random.length
    assert row["random move"] == (f"length {wanted:.3g}" if wanted < 1000 else f"length {wanted:,.0f}")
    assert row["noisy latents"] == "SNR -60 dB"


def test_the_last_step_has_no_random_move(found: Explanation) -> None:
    last = {cell.column: cell for cell in cells(found.moments[-1])}["random move"]
    assert last.picture is None
    assert last.number == "length 0"


def test_a_longer_prompt_makes_a_wider_sheet_and_more_steps_a_longer_one(engine: Engine, found: Explanation) -> None:
    paper = explained(found)
    longer = explained(explain(engine, GenerateRequest(prompt="a photo of a cat", steps=2, seed=1), rows=2))
    assert longer.width - paper.width >= 3 * CELL
    assert paper.height - longer.height >= CELL


def test_ink_is_deepest_where_most_looked() -> None:
    looks = torch.zeros(8, 8)
    looks[2, 5] = 0.5
    looks[6, 1] = 0.25
    paper = np.asarray(washed(Image.new("RGB", (8, 8), "white"), Word("cat", looks))).astype(int)
    off = np.abs(paper - np.array(RUST)).sum(-1)
    assert np.unravel_index(off.argmin(), off.shape) == (2, 5)
    assert off[2, 5] < off[6, 1] < off[0, 0]


def test_a_word_that_all_look_at_alike_leaves_no_ink() -> None:
    paper = washed(Image.new("RGB", (4, 4), "grey"), Word("of", torch.full((4, 4), 0.3)))
    ((count, colour),) = paper.getcolors() or []
    assert count == 16
    assert max(colour) - min(colour) < 10, "no rust on grey"
