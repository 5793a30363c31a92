import torch

from inkwash.text.conditioning import Conditioner, stacked
from inkwash.text.encoder import TextEncoder, TextSpec
from inkwash.text.tokenizer import Tokenizer
from inkwash.types import TextStates

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
