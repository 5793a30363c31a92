"""Noise schedules: which noise level sigma belongs to which step t of training, exactly and both ways."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from inkwash.types import Sigma

STEPS = 1000
ZERO_SNR = 2.0**-24
"""What ᾱ of the last step becomes instead of 0, so that sigma stays finite: 4096."""


@runtime_checkable
class Schedule(Protocol):
    """t in 0…1000 is what networks are told; sigma is what mathematics uses."""

    @property
    def sigma_min(self) -> float: ...  # noqa: D102
    @property
    def sigma_max(self) -> float: ...  # noqa: D102
    def t(self, sigma: Sigma) -> Sigma: ...  # noqa: D102
    def sigma(self, t: Sigma) -> Sigma: ...  # noqa: D102


@dataclass(frozen=True)
class DiscreteSchedule:
    """A table of levels for t = 0, 1, …; between them log(sigma) is linear in t, so t and sigma invert exactly."""

    sigmas: Float[Tensor, " steps"]

    @classmethod
    def from_betas(cls, betas: Float[Tensor, " steps"]) -> "DiscreteSchedule":
        """ᾱ = Π (1 - β); sigma = sqrt((1 - ᾱ) / ᾱ).  (Ho et al. 2020, eq. 4; float64 inside)"""
        return cls.from_alphas((1 - betas.double()).cumprod(0))

    @classmethod
    def from_alphas(cls, alphas_cumprod: Float[Tensor, " steps"]) -> "DiscreteSchedule":
        """From ᾱ, falling."""
        return cls(((1 - alphas_cumprod) / alphas_cumprod).sqrt().float())

    @classmethod
    def scaled_linear(cls, start: float = 0.00085, end: float = 0.012) -> "DiscreteSchedule":
        """sqrt(β) even: Stable Diffusion's own.  (Rombach et al. 2022, code)"""
        return cls.from_betas(torch.linspace(start**0.5, end**0.5, STEPS, dtype=torch.float64) ** 2)

    @classmethod
    def linear(cls, start: float = 1e-4, end: float = 0.02) -> "DiscreteSchedule":
        """β even.  (Ho et al. 2020, 4)"""
        return cls.from_betas(torch.linspace(start, end, STEPS, dtype=torch.float64))

    @classmethod
    def cosine(cls, offset: float = 0.008, largest_beta: float = 0.999) -> "DiscreteSchedule":
        """ᾱ falls like a squared cosine.  (Nichol & Dhariwal 2021, eq. 17)"""
        return cls.from_betas(cosine_betas(offset, largest_beta))

    def zero_terminal_snr(self, left: float = ZERO_SNR) -> "DiscreteSchedule":
        """Shift and stretch sqrt(ᾱ) so that nothing of the picture is left at the end.  (Lin et al. 2023, alg. 1)

        Nothing is `left`, the last ᾱ.
        """
        root = (1 + self.sigmas.double() ** 2).rsqrt()
        root = (root - root[-1]) * root[0] / (root[0] - root[-1])
        return self.from_alphas((root**2).clamp(min=left))

    @property
    def sigma_min(self) -> float:
        """The level of t = 0."""
        return self.sigmas[0].item()

    @property
    def sigma_max(self) -> float:
        """The level of the last t."""
        return self.sigmas[-1].item()

    def sigma(self, t: Sigma) -> Sigma:
        """Level of step t, which may be fractional; beyond the table its ends."""
        table = self.sigmas.to(t.device).log()
        place = t.float().clamp(0, len(table) - 1)
        low = place.floor().long().clamp(max=len(table) - 2)
        return torch.lerp(table[low], table[low + 1], place - low).exp()

    def t(self, sigma: Sigma) -> Sigma:
        """The fractional step of a level: the inverse of `sigma`."""
        table, level = self.sigmas.to(sigma.device).log(), sigma.float().log()
        low = (torch.searchsorted(table, level, right=True) - 1).clamp(0, len(table) - 2)
        part = (level - table[low]) / (table[low + 1] - table[low])
        return (low + part).clamp(0, len(table) - 1)


def cosine_betas(offset: float = 0.008, largest: float = 0.999) -> Float[Tensor, " steps"]:
    """β of an ᾱ that falls like a squared cosine, in float64."""
    edge = torch.arange(STEPS + 1, dtype=torch.float64) / STEPS
    level = torch.cos((edge + offset) / (1 + offset) * torch.pi / 2) ** 2
    return (1 - level[1:] / level[:-1]).clamp(max=largest)


@dataclass(frozen=True)
class FlowSchedule:
    """Rectified flow: x_flow = (1 - s) clean + s eps with s = sigma / (1 + sigma), told as t = 1000 s.

    `shift` moves sampling steps toward noise: it multiplies sigma.  (Liu 2022; Esser et al. 2024, eq. 23)
    """

    shift: float = 1.0
    last: float = 0.999
    """s of the noisiest level before the shift; 1 itself would be sigma = ∞."""

    @property
    def sigma_min(self) -> float:
        """The cleanest level sampling visits before 0: s = 1 / 1000, shifted."""
        return self.sigma(torch.tensor(1.0)).item()

    @property
    def sigma_max(self) -> float:
        """The noisiest level."""
        return self.shift * self.last / (1 - self.last)

    def sigma(self, t: Sigma) -> Sigma:
        """s / (1 - s) * shift for even s = t / 1000, kept below `last`: growing all the way to sigma_max."""
        s = (t.double() / STEPS).clamp(0, self.last)
        return (s / (1 - s) * self.shift).float()

    def t(self, sigma: Sigma) -> Sigma:
        """What the network is told: 1000 s, where s = sigma / (1 + sigma) whatever the shift."""
        level = sigma.double()
        return (STEPS * level / (1 + level)).float()


@dataclass(frozen=True)
class LogSchedule:
    """EDM: any level between two, told as t = ln(σ data) / 4 for data of standard deviation `data`.

    (Karras et al. 2022, table 1) Levels count in units of the data, whose variance is 1 everywhere else.
    """

    lowest: float = 0.002
    highest: float = 80.0
    data: float = 0.5

    @property
    def sigma_min(self) -> float:
        """The cleanest level."""
        return self.lowest / self.data

    @property
    def sigma_max(self) -> float:
        """The noisiest level."""
        return self.highest / self.data

    def sigma(self, t: Sigma) -> Sigma:
        """e^(4 t) / data."""
        return (4 * t).exp() / self.data

    def t(self, sigma: Sigma) -> Sigma:
        """The inverse of `sigma`."""
        return (sigma * self.data).log() / 4
