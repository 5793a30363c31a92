"""Autoencoders as values."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AutoencoderSpec:
    """All numbers of a KL autoencoder; tuples begin at the widest map."""

    channels: tuple[int, ...] = (128, 256, 512, 512)
    encoder_blocks: tuple[int, ...] = (2, 2, 2, 2)
    decoder_blocks: tuple[int, ...] = (3, 3, 3, 3)
    latent_channels: int = 4
    patch: int = 1
    """Squares of patch x patch pixels become channels before the first convolution: no work at full resolution."""
    groups: int = 32
    """Groups of the norms; 0 leaves the norms out."""
    middle: bool = True
    """Residual, attention, residual at the narrowest map."""
    quant_convs: bool = True
    """1x1 convolutions around the latents (SD 1, 2, XL; not SD 3)."""
    latent_mean: tuple[float, ...] = (0.0,)
    """Per channel, or one for all: what is subtracted so that latents are centred."""
    latent_std: tuple[float, ...] = (1 / 0.18215,)
    """Per channel, or one for all: what latents are divided by so that they have unit variance."""

    @property
    def factor(self) -> int:
        """Pixels per latent along a side."""
        return int(self.patch * 2 ** (len(self.channels) - 1))


SD = AutoencoderSpec()
SDXL = AutoencoderSpec(latent_std=(1 / 0.13025,))
X4 = AutoencoderSpec((128, 256, 512), (2, 2, 2), (3, 3, 3), latent_std=(1 / 0.08333,))
SD3 = AutoencoderSpec(latent_channels=16, quant_convs=False, latent_mean=(0.0609,), latent_std=(1 / 1.5305,))
PETS = AutoencoderSpec(
    channels=(48, 96, 160),
    encoder_blocks=(1, 1, 2),
    decoder_blocks=(1, 2, 3),
    latent_channels=8,
    patch=2,
    groups=0,
    middle=False,
    quant_convs=False,
    latent_std=(1.0,),
)
"""3.3 million parameters; the statistics of its latents are measured after training."""
TINY = AutoencoderSpec(
    channels=(16, 32),
    encoder_blocks=(1, 1),
    decoder_blocks=(1, 1),
    patch=2,
    groups=0,
    middle=False,
    quant_convs=False,
    latent_std=(1.0,),
)
