"""Controls of a request on Stable Diffusion 3: their pictures pass the autoencoder, and holes lie beside them."""

from pathlib import Path

import torch
from jaxtyping import Float
from PIL import Image, ImageChops
from torch import Tensor
from torch.nn.functional import interpolate

from inkwash.errors import InvalidRequest
from inkwash.latent.autoencoder import Autoencoder
from inkwash.latent.spec import SD3
from inkwash.nn.resting import rests
from inkwash.pictures.photo import opened, read_photo
from inkwash.pictures.picture import greys, pixels_of
from inkwash.pictures.preprocess import brought, prepared
from inkwash.pictures.surface import surface
from inkwash.pipeline.aids import acting_from
from inkwash.pipeline.space import space_of
from inkwash.predictor.joint_control import JointControl, JointControlNet, JointControlSpec
from inkwash.predictor.mmdit import MMDiT
from inkwash.predictor.mmdit_spec import MMDiTSpec
from inkwash.request.control import Control
from inkwash.request.generate import GenerateRequest
from inkwash.types import Latents, Pixels, Sigmas
from inkwash.weights.bundle import Bundle
from inkwash.weights.families import FAMILIES, MMDITS
from inkwash.weights.family import identified
from inkwash.weights.gathered import readable
from inkwash.weights.joint_control import is_joint, read_joint_control


def joint_network(path: Path, bundle: Bundle) -> JointControlNet:
    """The ControlNet in a file; its weights rest where the model's do.

    Raises InvalidRequest if it was made for another model, WeightsError if it is broken.
    """
    predictor = bundle.predictor
    assert isinstance(predictor, MMDiT)  # noqa: S101  asked for with no other
    told = identified(readable(path))
    if is_joint(told):
        network, _ = read_joint_control(path, rests=rests(predictor))
        if fits(network.spec, predictor.spec):
            return network
    own = FAMILIES.get(MMDITS.get((predictor.spec.depth, predictor.spec.qk_norm, bool(predictor.spec.dual)), ""))
    wanted = f"a ControlNet for {own.title if own else 'this transformer'}, as {bundle.name} is"
    other = FAMILIES[told.family].title if told.family in FAMILIES else "another network"
    raise InvalidRequest("control", str(path), f"{wanted}; this {told.kind} is for {other}")


def fits(control: JointControlSpec, large: MMDiTSpec) -> bool:
    """Whether it was made for such a transformer: what hears words is a copy of its first blocks."""
    own = control.blocks
    alike = ("width", "patch", "pooled_width", "channels_in", *(("text_width", "qk_norm") if control.worded else ()))
    return all(getattr(own, name) == getattr(large, name) for name in alike)


def joint_helper(
    control: Control, network: JointControlNet, request: GenerateRequest, bundle: Bundle, sigmas: Sigmas
) -> JointControl:
    """A control of a resolved request, at work.

    Raises InvalidRequest for a mode that such networks do not have, and for pictures that cannot be meant.
    """
    if control.mode != "balanced":
        raise InvalidRequest("control.mode", control.mode, "balanced: Stable Diffusion 3 has no finer and coarser maps")
    predictor = bundle.predictor
    assert isinstance(predictor, MMDiT)  # noqa: S101  asked for with no other
    seen = seen_latents(control, network.spec, request, bundle)
    interval = acting_from(bundle.schedule, sigmas, control.begin, control.end)
    return JointControl(network, seen, control.weight, interval, predictor.pos_embed)


@torch.no_grad()
def seen_latents(
    control: Control, spec: JointControlSpec, request: GenerateRequest, bundle: Bundle
) -> Float[Tensor, "1 seen h w"]:
    """What the network looks at: latents of the picture in the units it was taught with, and where it is kept."""
    device = next(bundle.predictor.parameters()).device
    size = request.width or 0, request.height or 0
    picture = read_photo(control.image, "control.image")
    pixels = pixels_of([prepared(picture, control, size)]).to(device)
    encode = space_of(bundle, request).encode
    if spec.beside:
        hole = (greys(hole_of(control, request)) >= 0.5).to(pixels)
        latents = encode(torch.where(hole > 0, -torch.ones_like(pixels), pixels))
        return torch.cat([latents, 1 - interpolate(hole, size=latents.shape[2:])], dim=1)
    latents = encode(glaring(pixels) if spec.glaring else pixels)
    return unshifted(latents, bundle) if spec.silent else latents


def glaring(pixels: Pixels) -> Pixels:
    """As Stability's network of edges was taught: 127.5 times the brightness, and a half."""
    return 127.5 * (pixels + 1) / 2 + 0.5


def unshifted(latents: Latents, bundle: Bundle) -> Latents:
    """Latents that are scaled and not centred."""
    space = bundle.autoencoder
    spec = space.spec if isinstance(space, Autoencoder) else SD3
    mean, std = (torch.tensor(each).to(latents) for each in (spec.latent_mean, spec.latent_std))
    return latents + (mean / std)[:, None, None]


def hole_of(control: Control, request: GenerateRequest) -> Image.Image:
    """White where the picture is painted anew: where it is transparent, else the mask of the request.

    Raises InvalidRequest if there is neither, or if the mask belongs to a part of the picture.
    """
    size = request.width or 0, request.height or 0
    picture = opened(control.image, "control.image")
    if picture.has_transparency_data:
        alpha = picture.convert("RGBA").getchannel("A")
        if alpha.getextrema() != (255, 255):
            return brought(ImageChops.invert(alpha), size, control.resize)
    if request.image is not None and not request.inpaint.only_masked:
        mask = surface(request).mask
        if mask is not None:
            return mask
    wanted = "transparent where it is to be painted anew, or beside a mask of the whole: this ControlNet fills holes"
    raise InvalidRequest("control.image", str(control.image), wanted)
