"""Three trained parts become one model."""

from pathlib import Path

from inkwash.errors import InvalidRequest
from inkwash.latent.pixelspace import PixelSpace
from inkwash.predictor.spec import UNetSpec
from inkwash.reverse.registry import SAMPLERS
from inkwash.reverse.spacing import SPACINGS
from inkwash.text.encoder import TextSpec
from inkwash.weights.bundle import Bundle
from inkwash.weights.manifest import Defaults
from inkwash.weights.parts import read_autoencoder, read_predictor, read_text


def pack(name: str, predictor: Path, autoencoder: Path | None, text: Path, defaults: Defaults) -> Bundle:
    """A model from the file of a predictor, the file of an autoencoder (None: pixels) and the folder of an encoder.

    Raises WeightsError for a file that is broken, InvalidRequest for parts that were not trained for one another or
    defaults that cannot be painted with.
    """
    taught, words = read_predictor(predictor), read_text(text)
    bundle = Bundle(
        name=name,
        predictor=taught.network,
        schedule=taught.schedule,
        target=taught.target,
        autoencoder=PixelSpace() if autoencoder is None else read_autoencoder(autoencoder),
        text=words,
        defaults=defaults,
    )
    _one_another(bundle, taught.network.spec, words.encoder.spec, (predictor, autoencoder, text))
    _paintable(bundle, len(taught.network.spec.stages))
    return bundle


def _one_another(bundle: Bundle, wanted: UNetSpec, words: TextSpec, paths: tuple[Path, Path | None, Path]) -> None:
    channels, (predictor, autoencoder, text) = bundle.autoencoder.spec.latent_channels, paths
    space = "left out" if autoencoder is None else str(autoencoder)
    if wanted.channels_in != channels:
        raise InvalidRequest("autoencoder", space, f"of {wanted.channels_in} channels as {predictor}, not {channels}")
    if wanted.text_width != words.width or wanted.pooled_width not in (0, words.pooled):
        raise InvalidRequest("text", str(text), f"{wanted.text_width} wide as {predictor}, not {words.width}")


def _paintable(bundle: Bundle, stages: int) -> None:
    chosen = bundle.defaults
    for field, value, known in (("sampler", chosen.sampler, SAMPLERS), ("spacing", chosen.spacing, SPACINGS)):
        if value not in known:
            raise InvalidRequest(field, value, f"one of {', '.join(known)}")
    shrink = bundle.autoencoder.spec.factor * 2 ** (stages - 1)
    for field, side in (("width", chosen.width), ("height", chosen.height)):
        if side < 1 or side % shrink:
            raise InvalidRequest(field, side, f"a multiple of {shrink}")
    if not 1 <= chosen.steps <= 1000:
        raise InvalidRequest("steps", chosen.steps, "from 1 to 1000")
