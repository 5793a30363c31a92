"""The preview against pictures whose colours are linear in the latents."""

import torch
from torch.nn.functional import interpolate

from inkwash.latent.preview import fit_preview, preview


def test_a_linear_world_is_seen_exactly() -> None:
    torch.manual_seed(0)
    latents, truth = torch.randn(3, 4, 6, 5), torch.randn(5, 3) * 0.2
    small = torch.einsum("bchw,cr->brhw", latents, truth[:4]) + truth[4, :, None, None]
    matrix = fit_preview(latents, interpolate(small, scale_factor=8, mode="nearest"))
    assert matrix.shape == (5, 3)
    torch.testing.assert_close(matrix, truth, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(preview(latents, matrix), small.clamp(-1, 1), atol=1e-5, rtol=1e-5)


def test_the_fit_is_the_best_of_all_matrices() -> None:
    torch.manual_seed(1)
    latents, pixels = torch.randn(4, 4, 8, 8), torch.rand(4, 3, 8, 8) * 0.5
    best = fit_preview(latents, pixels)

    def off(matrix: torch.Tensor) -> float:
        return (preview(latents, matrix) - pixels).square().sum().item()

    assert all(off(best) < off(best + 0.01 * torch.randn(5, 3)) for _ in range(20))


def test_a_channel_that_never_moves_is_given_no_weight() -> None:
    torch.manual_seed(2)
    latents = torch.randn(2, 3, 4, 4)
    latents[:, 1] = 0
    matrix = fit_preview(latents, torch.rand(2, 3, 32, 32))
    torch.testing.assert_close(matrix[1], torch.zeros(3), atol=1e-6, rtol=0)


def test_previews_stay_within_pictures() -> None:
    seen = preview(torch.full((1, 2, 3, 3), 9.0), torch.ones(3, 3))
    assert seen.shape == (1, 3, 3, 3)
    assert torch.equal(seen, torch.ones(1, 3, 3, 3))
