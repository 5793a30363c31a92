import pytest
import torch

from inkwash.errors import InvalidRequest
from inkwash.text.chunks import Chunk, chunks
from inkwash.text.prompt import parse
from inkwash.text.timeline import Pass, timeline
from inkwash.text.tokenizer import Tokenizer

TOKENIZER = Tokenizer.train(["a cat, a dog", "a cat, a dog"], vocabulary=560, length=12)
ROOM = 10


def cut(text: str, backtrack: int = 4, **embeddings: int) -> tuple[Chunk, ...]:
    ((only,),) = timeline(parse(text), Pass(1))
    known = {name: torch.zeros(rows, 2) for name, rows in embeddings.items()}
    return chunks(only.pieces, TOKENIZER, known, backtrack)


def words(chunk: Chunk) -> list[str]:
    """Tokens between begin and end."""
    names = [str(TOKENIZER.machine.id_to_token(token)).removesuffix("</w>") for token in chunk.tokens]
    return names[1 : names.index("<|endoftext|>", 1)]


def test_a_short_prompt_is_the_row_that_the_tokenizer_makes() -> None:
    (only,) = cut("a cat, a dog")
    assert list(only.tokens) == TOKENIZER.encode(["a cat, a dog"])[0].tolist()
    assert only.weights == (1.0,) * 12


def test_an_empty_prompt_is_one_empty_row() -> None:
    (only,) = cut("")
    assert list(only.tokens) == TOKENIZER.encode([""])[0].tolist()


def test_a_long_prompt_goes_on_in_the_next_row() -> None:
    first, second = cut("cat " * 13)
    assert (words(first), words(second)) == (["cat"] * ROOM, ["cat"] * 3)
    assert {len(first.tokens), len(second.tokens)} == {12}


def test_what_follows_a_near_comma_moves_along() -> None:
    text = "cat cat cat cat cat cat, a dog dog dog"  # the comma is the 7th token, the 11th does not fit
    assert [words(chunk) for chunk in cut(text)] == [["cat"] * 6 + [","], ["a", "dog", "dog", "dog"]]
    assert [len(words(chunk)) for chunk in cut(text, backtrack=3)] == [10, 1]
    assert [len(words(chunk)) for chunk in cut(text, backtrack=0)] == [10, 1]


def test_a_comma_that_does_not_fit_begins_the_next_row() -> None:
    first, second = cut("cat " * 10 + ", dog")
    assert (len(words(first)), words(second)) == (10, [",", "dog"])


def test_breaks_end_a_row() -> None:
    assert [words(chunk) for chunk in cut("a cat BREAK a dog")] == [["a", "cat"], ["a", "dog"]]
    assert [words(chunk) for chunk in cut("BREAK a BREAK")] == [[], ["a"]]


def test_weights_belong_to_tokens_and_never_to_begin_end_and_padding() -> None:
    (only,) = cut("a (cat:1.5) dog")
    assert only.weights == (1.0, 1.0, 1.5, 1.0, *[1.0] * 8)


def test_weights_move_with_their_tokens() -> None:
    _, second = cut("cat cat cat cat cat cat, a (dog:2) dog dog")
    assert second.weights[:5] == (1.0, 1.0, 2.0, 1.0, 1.0)


def test_padding_is_the_tokenizers() -> None:
    padded = Tokenizer(TOKENIZER.machine, 12, padding=0)
    ((only,),) = timeline(parse("a"), Pass(1))
    (chunk,) = chunks(only.pieces, padded, {})
    assert chunk.tokens[2:] == (padded.end, *[0] * 9)


def test_learned_words_are_found_by_name_as_whole_words() -> None:
    (only,) = cut("a ink (embedding:Ink:2) aink", ink=2)
    assert [place for place, _ in only.learned] == [2, 4]
    assert only.weights[4:6] == (2.0, 2.0)


def test_a_learned_word_is_not_torn_apart() -> None:
    first, second = cut("cat " * 8 + "ink", ink=3)
    assert (len(words(first)), second.learned) == (8, ((1, "ink"),))


def test_a_learned_word_that_moves_takes_its_vectors_along() -> None:
    first, second = cut("cat cat cat cat cat cat, ink dog dog", ink=2)
    assert (first.learned, second.learned) == ((), ((1, "ink"),))


def test_a_learned_word_longer_than_a_row_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="at most 10 vectors"):
        cut("ink", ink=11)
