"""From prompts to what steers the predictor."""

from collections import OrderedDict
from collections.abc import Sequence

import torch

from inkwash.text.encoder import TextEncoder
from inkwash.text.tokenizer import Tokenizer
from inkwash.types import TextStates, joined


class Conditioner:
    """Prompts -> TextStates, without gradients; remembers the last `capacity` prompts.

    Every prompt is encoded alone, so its states are the same bits in whatever company it comes.
    """

    def __init__(self, tokenizer: Tokenizer, encoder: TextEncoder, capacity: int = 256) -> None:
        self.tokenizer, self.encoder, self.capacity = tokenizer, encoder, capacity
        self._known: OrderedDict[str, TextStates] = OrderedDict()

    @property
    def encoders(self) -> tuple[TextEncoder]:
        """The networks that read: one."""
        return (self.encoder,)

    def __call__(self, prompts: Sequence[str]) -> TextStates:
        """A prompt per picture, at least one -> its states in the same order, on the encoder's device."""
        return stacked([self._states(prompt) for prompt in prompts])

    def forget(self) -> None:
        """Drop what is remembered: needed after the encoder's weights changed."""
        self._known.clear()

    def _states(self, prompt: str) -> TextStates:
        if prompt not in self._known:
            self._known[prompt] = self._encode(prompt)
            if len(self._known) > self.capacity:
                self._known.popitem(last=False)
        self._known.move_to_end(prompt)
        return self._known[prompt]

    @torch.no_grad()
    def _encode(self, prompt: str) -> TextStates:
        device = self.encoder.final_layer_norm.weight.device
        return self.encoder(self.tokenizer.encode([prompt]).to(device))  # type: ignore[no-any-return]


def stacked(parts: Sequence[TextStates]) -> TextStates:
    """Several batches of states as one, in order."""
    whole, *rest = parts
    for part in rest:
        whole = joined(whole, part)
    return whole
