"""The KL autoencoder: 786,432 numbers of a picture become 16,384, and back.  (Kingma & Welling 2014; Rombach 2022, 3.1)

Parameter names are those of the released diffusers folders. Units are sealed here: pixels in [-1, 1] on one side,
latents of unit variance on the other; no caller knows a scaling factor.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle, pixel_unshuffle, silu

from inkwash.latent.spec import AutoencoderSpec
from inkwash.nn.attention import attended, grid, rows
from inkwash.nn.norm import GroupNorm
from inkwash.nn.resample import Downsample, Upsample
from inkwash.nn.residual import ResidualBlock
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Pixels

EPS = 1e-6  # of every norm in here; the U-Net has another


class PlaceAttention(nn.Module):
    """One head over all places of the narrowest map."""

    def __init__(self, width: int, groups: int) -> None:
        super().__init__()
        self.group_norm = GroupNorm(groups, width, EPS)
        self.to_q, self.to_k, self.to_v = (nn.Linear(width, width) for _ in range(3))
        self.to_out = nn.ModuleList([nn.Linear(width, width)])

    def forward(self, x: Tensor) -> Tensor:
        """(b, c, h, w) -> the same shape."""
        h = rows(self.group_norm(x))
        q, k, v = (part(h)[:, None] for part in (self.to_q, self.to_k, self.to_v))
        # With an axis of heads a CPU never holds the matrix of all pairs: a gigabyte at 1024 pixels.
        gathered = attended(q, k, v)[:, 0]
        return x + grid(self.to_out[0](gathered), x.shape[2:])


class Level(nn.Module):
    """Residual blocks of one resolution, then a change of resolution, if any."""

    def __init__(self, spec: AutoencoderSpec, widths: list[tuple[int, int]]) -> None:
        super().__init__()
        self.resnets = nn.ModuleList(ResidualBlock(a, b, groups=spec.groups, eps=EPS) for a, b in widths)

    def forward(self, x: Tensor) -> Tensor:
        """(b, c, h, w) -> (b, c', h', w')."""
        for block in self.resnets:
            x = block(x)
        for resample in (*getattr(self, "downsamplers", ()), *getattr(self, "upsamplers", ())):
            x = resample(x)
        return x


class Middle(nn.Module):
    """Residual, attention, residual."""

    def __init__(self, spec: AutoencoderSpec) -> None:
        super().__init__()
        width = spec.channels[-1]
        self.attentions = nn.ModuleList([PlaceAttention(width, spec.groups)])
        self.resnets = nn.ModuleList(ResidualBlock(width, width, groups=spec.groups, eps=EPS) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        """(b, c, h, w) -> the same shape."""
        return self.resnets[1](self.attentions[0](self.resnets[0](x)))  # type: ignore[no-any-return]


class Encoder(nn.Module):
    """Pixels -> mean and log-variance of the latents, side by side in the channels."""

    def __init__(self, spec: AutoencoderSpec) -> None:
        super().__init__()
        self.patch = spec.patch
        self.conv_in = nn.Conv2d(3 * spec.patch**2, spec.channels[0], 3, padding=1)
        self.down_blocks = nn.ModuleList()
        before = (spec.channels[0], *spec.channels)
        for index, (width, blocks) in enumerate(zip(spec.channels, spec.encoder_blocks, strict=True)):
            level = Level(spec, [(before[index] if block == 0 else width, width) for block in range(blocks)])
            if index < len(spec.channels) - 1:
                level.downsamplers = nn.ModuleList([Downsample(width, asymmetric=True)])
            self.down_blocks.append(level)
        self.mid_block = Middle(spec) if spec.middle else nn.Identity()
        last = spec.channels[-1]
        self.conv_norm_out = GroupNorm(spec.groups, last, EPS) if spec.groups else nn.Identity()
        self.conv_out = nn.Conv2d(last, 2 * spec.latent_channels, 3, padding=1)

    def forward(self, pixels: Pixels) -> Float[Tensor, "b moments h8 w8"]:
        """(b, 3, h, w) -> (b, 2 * latent_channels, h / factor, w / factor)."""
        x = self.conv_in(pixel_unshuffle(pixels, self.patch))
        for level in self.down_blocks:
            x = level(x)
        return self.conv_out(silu(self.conv_norm_out(self.mid_block(x))))  # type: ignore[no-any-return]


class Decoder(nn.Module):
    """Latents in the encoder's own units -> pixels."""

    def __init__(self, spec: AutoencoderSpec) -> None:
        super().__init__()
        self.patch = spec.patch
        widths, counts = spec.channels[::-1], spec.decoder_blocks[::-1]
        self.conv_in = nn.Conv2d(spec.latent_channels, widths[0], 3, padding=1)
        self.mid_block = Middle(spec) if spec.middle else nn.Identity()
        self.up_blocks = nn.ModuleList()
        before = (widths[0], *widths)
        for index, (width, blocks) in enumerate(zip(widths, counts, strict=True)):
            level = Level(spec, [(before[index] if block == 0 else width, width) for block in range(blocks)])
            if index < len(widths) - 1:
                level.upsamplers = nn.ModuleList([Upsample(width)])
            self.up_blocks.append(level)
        self.conv_norm_out = GroupNorm(spec.groups, widths[-1], EPS) if spec.groups else nn.Identity()
        self.conv_out = nn.Conv2d(widths[-1], 3 * spec.patch**2, 3, padding=1)

    def forward(self, latents: Latents) -> Pixels:
        """(b, latent_channels, h, w) -> (b, 3, factor * h, factor * w)."""
        x = self.mid_block(self.conv_in(latents))
        for level in self.up_blocks:
            x = level(x)
        return pixel_shuffle(self.conv_out(silu(self.conv_norm_out(x))), self.patch)


class Autoencoder(nn.Module):
    """Pixels to unit-variance latents and back."""

    def __init__(self, spec: AutoencoderSpec) -> None:
        super().__init__()
        self.spec = spec
        self.encoder, self.decoder = Encoder(spec), Decoder(spec)
        if spec.quant_convs:
            self.quant_conv = nn.Conv2d(2 * spec.latent_channels, 2 * spec.latent_channels, 1)
            self.post_quant_conv = nn.Conv2d(spec.latent_channels, spec.latent_channels, 1)

    def moments(self, pixels: Pixels) -> tuple[Latents, Latents]:
        """Mean and log-variance of the latents, of unit variance over the training set."""
        found = self.encoder(pixels)
        mean, logvar = (self.quant_conv(found) if self.spec.quant_convs else found).chunk(2, dim=1)
        centre, spread = self._statistics(mean)
        return (mean - centre) / spread, logvar.clamp(-30, 20) - 2 * spread.log()

    def encode(self, pixels: Pixels, noise: NoiseSource | None = None) -> Latents:
        """(b, 3, h, w) in [-1, 1] -> latents: a draw from their distribution, or its mean without `noise`."""
        mean, logvar = self.moments(pixels)
        return mean if noise is None else mean + (0.5 * logvar).exp() * noise.like(mean)

    def decode(self, latents: Latents) -> Pixels:
        """Unit-variance latents -> (b, 3, h, w), about [-1, 1], not clamped."""
        centre, spread = self._statistics(latents)
        raw = latents * spread + centre
        return self.decoder(self.post_quant_conv(raw) if self.spec.quant_convs else raw)  # type: ignore[no-any-return]

    def _statistics(self, like: Latents) -> tuple[Tensor, Tensor]:
        centre, spread = (torch.tensor(numbers).to(like) for numbers in (self.spec.latent_mean, self.spec.latent_std))
        return centre[:, None, None], spread[:, None, None]
