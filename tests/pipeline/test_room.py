"""With little memory pictures are decoded in tiles and guesses asked for in turn, and this is said."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from inkwash.device import Compute
from inkwash.errors import InvalidRequest
from inkwash.metadata.record import read_record
from inkwash.pipeline.engine import Engine
from inkwash.pipeline.resolve import resolved
from inkwash.pipeline.room import decoding_bytes, fitted, room_for, row_bytes
from inkwash.ram import GIGA, UNLIMITED
from inkwash.request.generate import GenerateRequest
from inkwash.request.hires import Hires
from inkwash.request.jsons import from_json
from inkwash.request.memory import Memory
from inkwash.weights.bundle import load_bundle

CAT = GenerateRequest(prompt="a cat", seed=3, steps=2, guidance=3.0, negative_prompt="a dog")
CPU = torch.device("cpu")


def small(folder: Path, room: int) -> Engine:
    return Engine(load_bundle(folder), Compute(CPU, torch.float32, room))


def test_where_there_is_room_nothing_is_said(
    engine: Engine, tiny_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (batch,) = small(tiny_folder, 8 * GIGA).batches([replace(CAT, count=3)])
    assert (batch.shared.memory, len(batch), caplog.records) == (Memory(), 3, [])
    assert "memory" not in engine.paint(CAT)[0].record.note()


def test_where_there_is_none(tiny_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        found = small(tiny_folder, 10_000_000).batches([replace(CAT, width=512, height=512, count=3)])
    assert [len(batch) for batch in found] == [1, 1, 1]
    assert found[0].shared.memory == Memory(tiled=True, in_turn=True)
    wanted = "memory is short, 0.01 GB: decoding in tiles, guidance in turn, 1 at a time"
    assert [record.getMessage() for record in caplog.records] == [wanted]


def test_as_many_pictures_as_fit(engine: Engine) -> None:
    full = resolved(replace(CAT, count=16), engine.bundle)
    six = 2 * 6 * row_bytes(full, engine.bundle) + 1
    (asked,), most = fitted([full], engine.bundle, six)
    assert (most, asked.memory.in_turn) == (6, None)
    assert fitted([replace(full, guidance=1.0)], engine.bundle, six)[1] == 12
    (asked,), most = fitted([full], engine.bundle, row_bytes(full, engine.bundle) + 1)
    assert (most, asked.memory.in_turn) == (1, True)


def test_the_larger_pass_counts(engine: Engine) -> None:
    once = resolved(CAT, engine.bundle)
    twice = resolved(replace(CAT, hires=Hires(scale=2.0)), engine.bundle)
    assert row_bytes(twice, engine.bundle) == 4 * row_bytes(once, engine.bundle)
    assert decoding_bytes(twice, engine.bundle) == 4 * decoding_bytes(once, engine.bundle)


def test_four_pictures_are_decoded_at_once(engine: Engine) -> None:
    full = resolved(replace(CAT, count=9), engine.bundle)
    four = 4 * decoding_bytes(full, engine.bundle)
    assert [fitted([full], engine.bundle, room)[0][0].memory.tiled for room in (four, four - 1)] == [None, True]


def test_what_the_user_says_is_done(tiny_folder: Path, engine: Engine) -> None:
    said = replace(CAT, width=512, height=512, memory=Memory(tiled=False, in_turn=False))
    (batch,) = small(tiny_folder, 10_000_000).batches([said])
    assert batch.shared.memory == said.memory
    with pytest.raises(InvalidRequest, match=r"memory\.tiled is 3, but must be true or false"):
        from_json('{"memory": {"tiled": 3}}')


def test_guidance_in_turn_gives_the_same_picture_but_for_rounding(engine: Engine) -> None:
    *_, at_once = engine.stream(CAT)
    *_, in_turn = engine.stream(replace(CAT, memory=Memory(in_turn=True)))
    torch.testing.assert_close(in_turn.x, at_once.x, rtol=1e-3, atol=1e-4)


def test_a_picture_in_tiles_is_painted_again_byte_for_byte(engine: Engine, tiny_folder: Path, tmp_path: Path) -> None:
    tight = replace(CAT, width=320, height=32, steps=1, memory=Memory(tiled=True))
    (painting,) = engine.paint(tight)
    assert painting.request.memory == Memory(tiled=True)
    painting.save(tmp_path / "a.png")
    (asked,) = read_record(tmp_path / "a.png").requests
    assert asked.memory == Memory(tiled=True)
    assert engine.paint(asked)[0].png() == (tmp_path / "a.png").read_bytes()
    whole = engine.paint(replace(tight, memory=Memory()))[0].image
    apart = torch.tensor(list(whole.tobytes())) - torch.tensor(list(painting.image.tobytes()))
    assert apart.abs().float().mean() < 1


def test_accelerators_have_memory_of_their_own() -> None:
    assert room_for(Compute(torch.device("cuda"), torch.float32)) == UNLIMITED
    assert room_for(Compute(torch.device("cuda"), torch.float32, 5)) == 5
    assert room_for(Compute(CPU, torch.float32)) < UNLIMITED
