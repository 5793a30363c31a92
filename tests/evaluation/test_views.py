from pathlib import Path

import pytest
import torch

from inkwash.evaluation.views import Eyes, joined, look, remembered


def pictures(count: int, seed: int = 0) -> torch.Tensor:
    dice = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, 16, 16), generator=dice, dtype=torch.uint8)


def test_batches_do_not_matter(eyes: Eyes) -> None:
    whole, pieces = look(eyes, pictures(7), batch=16), look(eyes, pictures(7), batch=2)
    torch.testing.assert_close(whole.features, pieces.features)
    torch.testing.assert_close(whole.logits, pieces.logits)
    torch.testing.assert_close(joined([whole[:3], whole[3:]]).logits, whole.logits)


def test_progress_is_told(eyes: Eyes) -> None:
    heard: list[tuple[str, int, int]] = []
    look(eyes, pictures(5), lambda *words: heard.append(words), batch=2)
    assert heard == [("looking", 2, 5), ("looking", 4, 5), ("looking", 5, 5)]


def test_what_was_seen_once_is_not_looked_at_again(eyes: Eyes, tmp_path: Path) -> None:
    first = remembered(eyes, pictures(10), tmp_path, part=4)
    assert len(list(tmp_path.iterdir())) == 3

    def blind(pixels: torch.Tensor) -> torch.Tensor:
        raise AssertionError

    again = remembered(Eyes(eyes.name, blind, blind), pictures(10), tmp_path, part=4)
    assert torch.equal(first.logits, again.logits)
    assert torch.equal(first.features, again.features)
    with pytest.raises(AssertionError):
        remembered(Eyes(eyes.name, blind, blind), pictures(10, seed=1), tmp_path, part=4)


def test_the_judge_knows_a_blank_picture_from_noise() -> None:
    judge = Eyes.lite2()
    seen = look(judge, torch.cat([pictures(1), torch.full((1, 3, 16, 16), 128, dtype=torch.uint8)]))
    assert seen.logits.shape == (2, 1000)
    assert seen.features.shape == (2, 1280)
    assert not torch.allclose(seen.logits[0], seen.logits[1])
