import math

import pytest
import torch

from inkwash.text.encoder import TextSpec
from inkwash.training.clip import MiniClip, contrast, trimmed

SPEC = TextSpec(16, 1, 2, tokens=8, vocabulary=20, end=19)


def test_one_to_one_is_clips_loss() -> None:
    torch.manual_seed(0)
    scores = torch.randn(5, 4)
    fits = torch.cat([torch.ones(1, 4), torch.eye(4)]).bool()
    labels = torch.arange(4)
    rows = torch.nn.functional.cross_entropy(scores[1:], labels, reduction="sum")
    blank = -scores[:1].log_softmax(dim=1).mean()
    columns = torch.nn.functional.cross_entropy(scores[1:].T, labels)
    assert contrast(scores, fits).item() == pytest.approx(((rows + blank) / 5 + columns).item() / 2, rel=1e-6)


def test_the_least_loss_shares_evenly_among_what_fits() -> None:
    fits = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 1, 1]]).bool()
    best = contrast(torch.where(fits, 0.0, -50.0), fits).item()
    assert best == pytest.approx(((math.log(4) + 2 * math.log(2)) / 3 + 0) / 2, abs=1e-6)
    torch.manual_seed(0)
    for _ in range(20):
        assert contrast(torch.randn(3, 4), fits).item() > best


def test_pictures_without_a_caption_in_the_batch_count_for_nothing() -> None:
    scores = torch.tensor([[0.0, 0, 0], [5, 0, 1], [0, 5, 2]])
    fits = torch.tensor([[1, 1, 1], [1, 0, 0], [0, 1, 0]]).bool()
    loss = contrast(scores.requires_grad_(), fits)
    loss.backward()
    assert loss.isfinite()
    assert scores.grad is not None
    assert scores.grad.isfinite().all()


def test_trimming_keeps_every_end() -> None:
    tokens = torch.tensor([[1, 2, 19, 19, 19, 19], [1, 5, 6, 7, 19, 19]])
    assert torch.equal(trimmed(tokens, 19), tokens[:, :5])


def test_both_towers_end_on_the_unit_sphere() -> None:
    torch.manual_seed(0)
    features = 5 + 3 * torch.randn(50, 12)
    features[:, 0] = 2.0  # a dead feature must not divide by zero
    clip = MiniClip(SPEC, features)
    pictures, texts = clip.pictures(features), clip.texts(torch.tensor([[1, 2, 19, 19], [1, 3, 4, 19]]))
    assert pictures.shape == (50, 16)
    torch.testing.assert_close(pictures.norm(dim=1), torch.ones(50))
    torch.testing.assert_close(texts.norm(dim=1), torch.ones(2))
