"""A critic that tells photographs from reconstructions, patch by patch: what makes eyes and whiskers sharp."""

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, relu
from torch.nn.utils.parametrizations import spectral_norm

from inkwash.types import Pixels

Verdicts = Float[Tensor, "b 1 h w"]
Scalar = Float[Tensor, ""]


class PatchDiscriminator(nn.Module):
    """A stack of strided convolutions; every output looks at one patch.  (Isola et al. 2017, 3.2.2; Miyato 2018)"""

    def __init__(self, width: int = 32, layers: int = 3) -> None:
        super().__init__()
        widths = [3, *(width * 2**layer for layer in range(layers))]
        self.strided = nn.ModuleList(
            spectral_norm(nn.Conv2d(a, b, 4, stride=2, padding=1)) for a, b in pairwise(widths)
        )
        self.verdict = spectral_norm(nn.Conv2d(widths[-1], 1, 3, padding=1))

    def forward(self, pixels: Pixels) -> Verdicts:
        """(b, 3, h, w) -> positive where a patch looks real."""
        x = pixels
        for conv in self.strided:
            x = leaky_relu(conv(x), 0.2)
        return self.verdict(x)  # type: ignore[no-any-return]


def critic_loss(real: Verdicts, fake: Verdicts) -> Scalar:
    """Hinge: real above 1, fake below -1.  (Lim & Ye 2017; Miyato et al. 2018, eq. 16)"""
    return relu(1 - real).mean() + relu(1 + fake).mean()


def painter_loss(fake: Verdicts) -> Scalar:
    """The decoder wants its patches to look real.  (Miyato et al. 2018, eq. 17)"""
    return -fake.mean()


def adaptive_weight(likeness: Scalar, adversarial: Scalar, last: Tensor, most: float = 1.0) -> Scalar:
    """Make both losses pull equally hard on the decoder's last weights.  (Esser et al. 2021, eq. 7)"""
    like = torch.autograd.grad(likeness, last, retain_graph=True)[0].norm()
    real = torch.autograd.grad(adversarial, last, retain_graph=True)[0].norm()
    return (like / (real + 1e-6)).clamp(0, most).detach()  # type: ignore[no-any-return]
