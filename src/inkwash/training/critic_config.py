"""The second training of an autoencoder as a value: a critic makes its decoder sharp."""

from dataclasses import dataclass

from inkwash.latent.spec import PETS, AutoencoderSpec
from inkwash.training.config import AutoencoderConfig


@dataclass(frozen=True, kw_only=True)
class CriticConfig(AutoencoderConfig):
    """The encoder stays as it is, and with it every latent; only the decoder learns on, against a critic."""

    autoencoder: AutoencoderSpec = PETS
    """Takes the place of what the autoencoder's file says of itself."""
    halved_every: int = 0
    adversarial: float = 0.25
    """How hard the critic pulls on the decoder's last weights, as a part of what likeness pulls."""
    alone: int = 2_400
    """Pictures that the critic first judges without being heard."""
    rise: int = 12_000
    """Pictures over which its voice then grows to the full."""
    critic_width: int = 32
    """Channels after the critic's first convolution."""
    critic_layers: int = 3
    """Its halvings: 3 make it judge patches of 38 pixels."""

    def pull(self, images: int) -> float:
        """How hard the critic pulls when so many pictures have been seen."""
        heard = (images - self.alone) / self.rise if self.rise else float(images >= self.alone)
        return self.adversarial * min(1.0, max(0.0, heard))
