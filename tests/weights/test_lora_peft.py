import torch

from inkwash.weights.lora_peft import as_peft, from_peft, in_peft


def pair(stem: str, rank: int, rows: int = 6, inner: tuple[int, ...] = (5,)) -> dict[str, torch.Tensor]:
    ones = [1] * (len(inner) - 1)
    return {
        f"{stem}.lora_up.weight": torch.randn(rows, rank, *ones),
        f"{stem}.lora_down.weight": torch.randn(rank, *inner),
        f"{stem}.alpha": torch.tensor(float(rank)),
    }


def test_all_modules_have_one_rank_and_say_what_they_said() -> None:
    tensors = pair("transformer.a", 4) | pair("transformer.b", 2, inner=(3, 2, 2))
    found = as_peft(tensors)
    ends = ("a.lora_A", "a.lora_B", "b.lora_A", "b.lora_B")
    assert sorted(found) == [f"transformer.{end}.weight" for end in ends]
    assert [tuple(found[name].shape) for name in sorted(found)] == [(4, 5), (6, 4), (4, 3, 2, 2), (6, 4, 1, 1)]
    for stem in ("transformer.a", "transformer.b"):
        before = tensors[f"{stem}.lora_up.weight"].flatten(1) @ tensors[f"{stem}.lora_down.weight"].flatten(1)
        after = found[f"{stem}.lora_B.weight"].flatten(1) @ found[f"{stem}.lora_A.weight"].flatten(1)
        torch.testing.assert_close(after, before)


def test_a_bias_goes_with_its_pair_and_the_rest_keeps_its_name() -> None:
    bias, norm = torch.randn(6), torch.randn(3)
    found = as_peft(pair("a", 2) | {"a.diff_b": bias, "b.diff_b": bias, "norm.diff": norm, "c.alpha": torch.ones(())})
    assert torch.equal(found["a.lora_B.bias"], bias)
    assert found.keys() >= {"b.diff_b", "norm.diff", "c.alpha"}
    assert "a.alpha" not in found


def test_names_come_back() -> None:
    tensors = pair("a", 2) | {"a.diff_b": torch.randn(6), "norm.diff": torch.randn(3)}
    assert from_peft(as_peft(tensors)).keys() == tensors.keys() - {"a.alpha"}
    assert in_peft(as_peft(tensors))
    assert not in_peft(tensors)
