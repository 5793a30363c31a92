"""The model that paints."""

from inkwash.forward.schedule import FlowSchedule
from inkwash.latent.autoencoder import Autoencoder
from inkwash.latent.spec import TINY as TINY_SPACE
from inkwash.predictor.spec import TINY
from inkwash.predictor.unet import UNet
from inkwash.text.conditioning import Conditioner
from inkwash.text.encoder import TextEncoder, TextSpec
from inkwash.text.tokenizer import Tokenizer
from inkwash.weights.bundle import Bundle, load_bundle
from inkwash.weights.manifest import Defaults


def model(name: str | None) -> Bundle:
    """A shipped model or a folder; None is an untrained model of toy size."""
    return toy() if name is None else load_bundle(name)


def toy() -> Bundle:
    """Everything a model has, in small, as it is born."""
    tokenizer = Tokenizer.train(["a photo of a cat"], 514, 8)
    spec = TextSpec(TINY.text_width, 1, 2, tokens=8, vocabulary=514, end=513, mask_padding=True)
    text = Conditioner(tokenizer, TextEncoder(spec))
    defaults = Defaults(width=32, height=32, steps=2, sampler="euler", spacing="sgm_uniform", guidance=2.0)
    bundle = Bundle("toy", UNet(TINY), FlowSchedule(), "flow", Autoencoder(TINY_SPACE), text, defaults)
    for network in bundle.networks().values():
        network.eval().requires_grad_(False)
    return bundle
