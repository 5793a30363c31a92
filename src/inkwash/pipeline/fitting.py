"""Whether a model can do what a request asks of it, said before anything is painted."""

from inkwash.errors import InvalidRequest
from inkwash.pipeline.beside import wanted_beside
from inkwash.pipeline.walking import walk_of
from inkwash.predictor.mmdit import MMDiT
from inkwash.predictor.perturbed import self_attentions
from inkwash.predictor.unet import UNet
from inkwash.request.generate import GenerateRequest
from inkwash.request.micro import Micro
from inkwash.weights.bundle import Bundle


def fit(request: GenerateRequest, bundle: Bundle) -> None:
    """Raise InvalidRequest, naming field and value, for what this model or the sampler of the request cannot do."""
    network, name = bundle.predictor, bundle.name
    if request.rules.act and wanted_beside(bundle) == "picture":
        raise InvalidRequest("rules", "given", f"left out: {name} follows instructions")
    if request.pag.scale:
        if not isinstance(network, UNet):
            raise InvalidRequest("pag.scale", request.pag.scale, f"left out: {name} has no U-Net")
        self_attentions(network, request.pag.layers)
    if request.freeu.acts and not isinstance(network, UNet):
        raise InvalidRequest("freeu", "given", f"left out: {name} has no U-Net")
    if request.slg.scale:
        if not isinstance(network, MMDiT):
            raise InvalidRequest("slg.scale", request.slg.scale, f"left out: {name} is no Stable Diffusion 3")
        if max(request.slg.layers) >= network.spec.depth:
            raise InvalidRequest("slg.layers", list(request.slg.layers), f"from 0 to {network.spec.depth - 1}")
    walk_of(request, bundle)
    sized = isinstance(network, UNet) and network.spec.size_numbers > 0
    if request.micro != Micro() and not sized and not request.refiner.model:
        raise InvalidRequest("micro", "given", f"left out: {name} is told words only")
