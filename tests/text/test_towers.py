"""What SDXL and SD 3 read, composed of readers a few numbers wide."""

from dataclasses import replace

import pytest
import torch
from tokenizers import Tokenizer as Machine
from tokenizers import models, pre_tokenizers

from inkwash.text.conditioning import Conditioner, Manner
from inkwash.text.encoder import TextEncoder, TextSpec
from inkwash.text.released import T5Tokenizer
from inkwash.text.t5 import T5Encoder, T5Spec
from inkwash.text.timeline import Piece
from inkwash.text.tokenizer import Tokenizer
from inkwash.text.towers import (
    LongReader,
    ThreeReaders,
    TwoReaders,
    followed_by,
    side_by_side,
    silence,
)
from inkwash.types import TextStates, joined

LEARNED = Tokenizer.train(["a photo of a cat", "a dog"], 560, 10)
SPEC = TextSpec(16, 2, 2, tokens=10, vocabulary=len(LEARNED), end=LEARNED.end, skip=1, normed=False)
PROMPTS = ["a cat", "a photo of a dog"]


class Counting(T5Encoder):
    """Counts how often it was asked."""

    asked = 0

    def forward(self, tokens: torch.Tensor, keep: torch.Tensor | None = None) -> TextStates:
        self.asked += 1
        return super().forward(tokens, keep)


def clip(width: int, projection: int) -> Conditioner:
    torch.manual_seed(width)
    return Conditioner(LEARNED, TextEncoder(replace(SPEC, width=width, projection=projection)))


def long(least: int | None = None) -> tuple[LongReader, Counting]:
    torch.manual_seed(0)
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁a", -1.0), ("▁cat", -2.0), ("▁dog", -2.0)]
    machine = Machine(models.Unigram(pieces, 2, byte_fallback=False))
    machine.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    encoder = Counting(T5Spec(60, 2, 2, 4, 24, 10))
    return LongReader(T5Tokenizer(machine, 7, least), encoder), encoder


TWO = TwoReaders(clip(16, 0), clip(24, 12))
THREE = ThreeReaders(clip(16, 16), clip(24, 12), long()[0], width=60)


def test_sdxl_reads_side_by_side_and_pools_by_the_second() -> None:
    first, second, found = TWO.clip_l(PROMPTS), TWO.clip_g(PROMPTS), TWO(PROMPTS)
    assert found.states.shape == (2, 10, 40)
    assert torch.equal(found.states[..., :16], first.states)
    assert torch.equal(found.states[..., 16:], second.states)
    assert found.pooled is not None
    assert second.pooled is not None
    assert torch.equal(found.pooled, second.pooled)


def test_each_tower_may_be_told_its_own_prompt() -> None:
    found, same = TWO(["a cat"], second=["a dog"]), TWO(["a cat"])
    assert torch.equal(found.states[..., :16], same.states[..., :16])
    assert torch.equal(found.states[..., 16:], TWO(["a dog"]).states[..., 16:])
    three = THREE(["a cat"], second=["a cat"], third=["a dog"])
    assert torch.equal(three.states[:, :10], THREE(["a cat"]).states[:, :10])
    assert torch.equal(three.states[:, 10:], THREE(["a dog"]).states[:, 10:])


def test_sd3_reads_clip_widened_by_zeros_and_then_t5() -> None:
    found = THREE(PROMPTS)
    first, second = THREE.clip_l(PROMPTS), THREE.clip_g(PROMPTS)
    assert THREE.t5 is not None
    assert found.states.shape == (2, 10 + 7, 60)
    assert torch.equal(found.states[:, :10, :40], side_by_side(first, second).states)
    assert not found.states[:, :10, 40:].any()
    assert torch.equal(found.states[:, 10:], THREE.t5(PROMPTS).states)
    assert first.pooled is not None
    assert second.pooled is not None
    assert found.pooled is not None
    assert torch.equal(found.pooled, torch.cat([first.pooled, second.pooled], dim=1))


@pytest.mark.parametrize("absent", [0, 5])
def test_sd3_without_t5_reads_zeros_or_nothing(absent: int) -> None:
    found = replace(THREE, t5=None, absent=absent)(PROMPTS)
    assert found.states.shape == (2, 10 + absent, 60)
    assert torch.equal(found.states[:, :10], THREE(PROMPTS).states[:, :10])
    assert not found.states[:, 10:].any()


def test_long_prompts_are_encoded_alone_and_once() -> None:
    reader, encoder = long()
    together = reader(["a cat", "a dog", "a cat"])
    assert encoder.asked == 2
    assert torch.equal(together.states[0], together.states[2])
    assert torch.equal(together.states[1:2], reader(["a dog"]).states)
    assert not together.states.requires_grad
    assert encoder.asked == 2
    reader.forget()
    reader(["a dog"])
    assert encoder.asked == 3


def test_a_call_has_one_length() -> None:
    reader, _ = long(least=3)
    assert reader(["a"]).states.shape == (1, 3, 60)
    assert reader(["a", "a cat a dog"]).states.shape == (2, 5, 60)


def test_forgetting_reaches_every_tower() -> None:
    reader, encoder = long()
    three = ThreeReaders(clip(16, 16), clip(24, 12), reader, width=60)
    three(["a cat"])
    with torch.no_grad():
        for part in (three.clip_l.encoder, three.clip_g.encoder, encoder):
            for weight in part.parameters():
                weight.mul_(1.5)
    old = three(["a cat"])
    three.forget()
    new = three(["a cat"])
    for place in (slice(0, 16), slice(16, 40)):
        assert not torch.allclose(old.states[:, :10, place], new.states[:, :10, place])
    assert not torch.allclose(old.states[:, 10:], new.states[:, 10:])
    replace(three, t5=None).forget()


def test_further_tokens_take_the_precision_of_the_first() -> None:
    short = TextStates(torch.ones(1, 2, 3, dtype=torch.bfloat16))
    assert followed_by(short, torch.ones(1, 2, 4)).states.dtype == torch.bfloat16


def test_silence_is_zeros_and_keeps_the_size() -> None:
    text = replace(TWO(PROMPTS), size=torch.ones(2, 6))
    nothing = silence(text)
    assert not nothing.states.any()
    assert nothing.pooled is not None
    assert not nothing.pooled.any()
    assert torch.equal(joined(text, nothing).size[2:], text.size)  # type: ignore[index, arg-type]
    assert silence(TextStates(torch.ones(1, 2, 3))).pooled is None


def test_the_tokens_of_the_two_towers_may_be_padded_differently() -> None:
    second = Conditioner(Tokenizer(LEARNED.machine, 10, padding=0), TWO.clip_g.encoder)
    found = TwoReaders(TWO.clip_l, second)(["a cat"])
    same = TWO(["a cat"])
    assert found.states.shape == same.states.shape
    assert torch.equal(found.states[:, :4], same.states[:, :4])
    assert not torch.allclose(found.states[:, 4:, 16:], same.states[:, 4:, 16:])


def test_spoken_prompts_are_read_as_plain_ones_where_nothing_is_weighed() -> None:
    pieces = (Piece("a cat", 1.0),)
    for reader in (TWO, THREE):
        (found,) = reader.spoken([pieces], Manner("comfy"))
        plain = reader(["a cat"])
        torch.testing.assert_close(found.states, plain.states)
        assert found.pooled is not None
        assert plain.pooled is not None
        torch.testing.assert_close(found.pooled, plain.pooled)
        assert reader.tokenizer is reader.clip_l.tokenizer
        (heavy,) = reader.spoken([(Piece("a cat", 2.0),)], Manner("comfy"))
        assert not torch.equal(heavy.states, plain.states)
