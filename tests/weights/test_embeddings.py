import pytest
import torch

from inkwash.errors import WeightsError
from inkwash.weights.containers.source import Source, in_memory
from inkwash.weights.embeddings import bundled, is_embedding, read_embedding

L, H, G = torch.arange(1536.0).reshape(2, 768), torch.ones(1, 1024), torch.full((2, 1280), 3.0)


def source(what: str = "some/where/cat.safetensors", **tensors: torch.Tensor) -> Source:
    return in_memory(tensors, what=what)


@pytest.mark.parametrize(
    ("given", "word", "vectors"),
    [
        (in_memory({"<cat>": L[0]}), "<cat>", {"clip_l": L[:1]}),
        (in_memory({"<cat>": L.half()}), "<cat>", {"clip_l": L.half().float()}),
        (source(emb_params=H), "cat", {"open_clip_h": H}),
        (source(clip_l=L, clip_g=G), "cat", {"clip_l": L, "clip_g": G}),
        (in_memory({"string_to_param.*": L}, what="x/cat.pt"), "cat", {"clip_l": L}),
        (in_memory({"string_to_param.dog": L}), "dog", {"clip_l": L}),
    ],
)
def test_every_way_to_write_one(given: Source, word: str, vectors: dict[str, torch.Tensor]) -> None:
    found = read_embedding(given)
    assert found.word == word
    assert found.vectors.keys() == vectors.keys()
    assert all(torch.equal(found.vectors[name], vectors[name]) for name in vectors)
    assert read_embedding(given, "own").word == "own"


@pytest.mark.parametrize(
    "tensors",
    [{"a": torch.ones(3, 5)}, {"a": L, "b": L, "c": L}, {"a": L, "b": L}, {"a": torch.ones(1025, 768)}, {}],
)
def test_others_are_none(tensors: dict[str, torch.Tensor]) -> None:
    assert not is_embedding(in_memory(tensors))
    with pytest.raises(WeightsError, match="is no textual inversion"):
        read_embedding(in_memory(tensors))


def test_words_inside_a_lora() -> None:
    found = bundled(in_memory({"bundle_emb.cat.*": L, "bundle_emb.dog.clip_l": L, "bundle_emb.dog.clip_g": G, "x": H}))
    assert [one.word for one in found] == ["cat", "dog"]
    assert found[1].vectors.keys() == {"clip_l", "clip_g"}
