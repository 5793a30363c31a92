from dataclasses import replace

import pytest
import torch
from torch import nn

from inkwash.errors import InvalidRequest
from inkwash.text.conditioning import Conditioner, Manner, evened, stacked
from inkwash.text.encoder import TextEncoder, TextSpec
from inkwash.text.prompt import parse
from inkwash.text.timeline import Pass, timeline
from inkwash.text.tokenizer import Tokenizer
from inkwash.text.tree import WEIGHTINGS, Mode, Weighting
from inkwash.text.weighting import weighted
from inkwash.types import TextStates

PLAIN = Manner()
TOKENIZER = Tokenizer.train(["a photo of a cat", "a dog"], vocabulary=560, length=10)


class Counting(TextEncoder):
    """Counts how often it was asked."""

    asked = 0

    def forward(self, tokens: torch.Tensor, skip: int = 0) -> TextStates:
        self.asked += 1
        return super().forward(tokens, skip)


def fresh(capacity: int = 256) -> tuple[Conditioner, Counting]:
    torch.manual_seed(0)
    spec = TextSpec(16, 2, 2, tokens=10, vocabulary=len(TOKENIZER), end=TOKENIZER.end, mask_padding=True)
    encoder = Counting(spec)
    return Conditioner(TOKENIZER, encoder, capacity), encoder


def test_a_row_per_prompt_in_order() -> None:
    conditioner, _ = fresh()
    text = conditioner(["a cat", "a dog", "a cat"])
    assert text.states.shape == (3, 10, 16)
    assert torch.equal(text.states[0], text.states[2])
    assert not torch.allclose(text.states[0], text.states[1])
    assert text.keep is not None
    assert text.keep.sum(dim=1).tolist() == [4, 4, 4]


def test_company_changes_no_bit() -> None:
    conditioner, _ = fresh()
    together = conditioner(["a dog", "", "a photo of a cat"])
    alone, _ = fresh()
    assert torch.equal(together.states[2:], alone(["a photo of a cat"]).states)
    assert together.pooled is not None
    assert torch.equal(together.pooled[1:2], alone([""]).pooled)


def test_a_known_prompt_is_not_encoded_again() -> None:
    conditioner, encoder = fresh()
    conditioner(["a cat", "a cat"])
    conditioner(["a cat", ""])
    assert encoder.asked == 2
    conditioner.forget()
    conditioner(["a cat"])
    assert encoder.asked == 3


def test_the_longest_unused_prompt_is_forgotten_first() -> None:
    conditioner, encoder = fresh(capacity=2)
    for prompt in ("a cat", "a dog", "a cat", "", "a cat"):
        conditioner([prompt])
    assert encoder.asked == 3
    conditioner(["a dog"])
    assert encoder.asked == 4


def test_more_prompts_than_capacity_still_all_come_back() -> None:
    conditioner, _ = fresh(capacity=1)
    assert len(conditioner(["a cat", "a dog", ""])) == 3


def test_no_gradient_hangs_on_the_states() -> None:
    conditioner, _ = fresh()
    assert not conditioner(["a cat"]).states.requires_grad


def test_stacked_keeps_the_order() -> None:
    parts = [TextStates(torch.full((1, 2, 3), float(n)), torch.full((1, 4), float(n))) for n in range(3)]
    whole = stacked(parts)
    assert whole.states[:, 0, 0].tolist() == [0, 1, 2]
    assert whole.pooled is not None
    assert whole.pooled[:, 0].tolist() == [0, 1, 2]


def heard(conditioner: Conditioner, text: str, manner: Manner = PLAIN, mode: Mode = "native") -> TextStates:
    ((only,),) = timeline(parse(text, mode), Pass(1))
    (states,) = conditioner.spoken([only.pieces], manner)
    return states


def test_a_short_plain_prompt_is_spoken_as_it_is_read() -> None:
    conditioner, _ = fresh()
    for text in ("a cat", ""):
        assert torch.equal(heard(conditioner, text).states, conditioner([text]).states)


def test_rows_stand_beside_each_other_and_the_first_is_pooled() -> None:
    conditioner, _ = fresh()
    whole = heard(conditioner, "a cat BREAK a dog")
    cat, dog = conditioner(["a cat"]), conditioner(["a dog"])
    assert torch.equal(whole.states, torch.cat([cat.states, dog.states], dim=1))
    assert whole.pooled is cat.pooled
    assert whole.keep is not None
    assert whole.keep.sum() == 8


@pytest.mark.parametrize("mode", WEIGHTINGS)
def test_only_weighted_words_change(mode: Weighting) -> None:
    conditioner, _ = fresh()
    before, after = conditioner(["a cat"]), heard(conditioner, "a (cat:1.5)", Manner(mode))
    empty = conditioner([""]).states
    weights = torch.tensor([1.0, 1.0, 1.5] + [1.0] * 7)[None]
    torch.testing.assert_close(after.states, weighted(before.states, weights, mode, empty))
    assert after.pooled is before.pooled


def test_light_words_fade_toward_the_prompt_without_them() -> None:
    conditioner, _ = fresh()
    scaled = heard(conditioner, "a (cat:0.5)", Manner("comfy")).states
    without = heard(conditioner, "a ").states
    torch.testing.assert_close(heard(conditioner, "a (cat:0.5)", Manner("compel")).states, (scaled + without) / 2)


def test_light_words_may_leave_a_row_empty() -> None:
    conditioner, _ = fresh()
    whole = heard(conditioner, "a cat BREAK (a dog:0.5)", Manner("compel"))
    assert whole.states.shape == (1, 20, 16)


def test_too_many_light_words_and_too_many_rows_are_refused() -> None:
    conditioner, _ = fresh()
    with pytest.raises(InvalidRequest, match="at most 64"):
        heard(conditioner, "[a] b " * 65, Manner("compel"))
    with pytest.raises(InvalidRequest, match="short enough for 1024"):
        heard(conditioner, "a BREAK " * 1025)


def test_variants_are_as_long_as_the_longest_and_share_a_scale() -> None:
    conditioner, encoder = fresh()
    nn.init.normal_(encoder.final_layer_norm.bias)  # without one the mean is 0 but for rounding, and no scale at all
    plain, heavy = (timeline(parse(text), Pass(1))[0][0].pieces for text in ("a cat", "a (dog:2) BREAK a cat"))
    alone, together = heard(conditioner, "a cat").states, conditioner.spoken([plain, heavy], Manner())
    assert together[0].states.shape == together[1].states.shape == (1, 20, 16)
    ratio = together[0].states[:, :10] / alone
    torch.testing.assert_close(ratio, ratio[0, 0, 0].expand_as(ratio))
    assert abs(ratio[0, 0, 0].item() - 1) > 1e-4
    assert torch.equal(together[0].states[:, 10:], conditioner([""]).states)


@pytest.mark.parametrize(("own", "asked", "skipped"), [(0, 1, 0), (0, 2, 1), (1, 1, 1), (1, 2, 1), (0, 3, 2)])
def test_clip_skip_counts_layers_from_the_end(own: int, asked: int, skipped: int) -> None:
    torch.manual_seed(0)
    spec = TextSpec(16, 3, 2, tokens=10, vocabulary=len(TOKENIZER), end=TOKENIZER.end)
    encoder = TextEncoder(spec)
    tokens = TOKENIZER.encode(["a cat"])
    with torch.no_grad():
        expected = encoder(tokens, skipped)
    encoder.spec = replace(spec, skip=own)
    conditioner = Conditioner(TOKENIZER, encoder)
    for found in (conditioner(["a cat"], asked), heard(conditioner, "a cat", Manner(clip_skip=asked))):
        assert torch.equal(found.states, expected.states)
        assert found.pooled is not None
        assert torch.equal(found.pooled, expected.pooled)


def test_more_layers_than_there_are_cannot_be_skipped() -> None:
    conditioner, _ = fresh()
    with pytest.raises(InvalidRequest, match="clip_skip is 3, but must be at most 2"):
        conditioner(["a cat"], 3)


def test_learned_words_take_the_place_of_tokens() -> None:
    conditioner, encoder = fresh()
    cat = TOKENIZER.machine.encode("cat", add_special_tokens=False).ids
    conditioner.embeddings = {"ink": encoder.embeddings.token_embedding.weight[cat].detach().clone()}
    torch.testing.assert_close(heard(conditioner, "a ink dog").states, heard(conditioner, "a cat dog").states)
    assert not encoder.embeddings.token_embedding._forward_hooks
    conditioner.embeddings = {}
    assert not torch.allclose(heard(conditioner, "a ink").states, heard(conditioner, "a cat").states)


def test_shorter_prompts_are_filled_up_with_what_nobody_sees() -> None:
    short = TextStates(torch.ones(1, 2, 3), torch.ones(1, 4))
    long = TextStates(torch.ones(1, 4, 3), torch.ones(1, 4), torch.tensor([[True, True, True, False]]))
    assert evened([short, short]) == [short, short]
    first, second = evened([short, long])
    assert first.states.sum(dim=2).tolist() == [[3, 3, 0, 0]]
    assert first.keep is not None
    assert second.keep is not None
    assert first.keep.tolist() == [[True, True, False, False]]
    assert second.keep.tolist() == [[True, True, True, False]]
