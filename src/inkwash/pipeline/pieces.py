"""Networks that are asked as `Tiling` wants it: in windows, or with edges that meet."""

from jaxtyping import Float
from torch import Tensor, nn

from inkwash.denoiser import NoisePredictor
from inkwash.latent.tiling import Tiles, windowed
from inkwash.nn.circular import circular
from inkwash.request.tiling import Tiling
from inkwash.types import Latents, TextStates


def in_pieces(predict: NoisePredictor, network: nn.Module, tiling: Tiling, factor: int) -> NoisePredictor:
    """`predict`, which asks `network`, for pictures of any size or without seams; `factor` is pixels per latent."""
    if tiling.window is not None:
        size = max(tiling.window // factor, 4)
        overlap = min(size // 2 if tiling.overlap is None else tiling.overlap // factor, size - 1)
        return windowed(predict, Tiles(size, overlap, overlap // 8))
    if not any(tiling.around):
        return predict

    def around(x: Latents, t: Float[Tensor, " b"], text: TextStates) -> Latents:
        with circular(network, *tiling.around):
            return predict(x, t, text)

    return around
