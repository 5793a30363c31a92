"""From the first pass to the second: the request of the second, and enlarged latents to begin with."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from jaxtyping import Float
from PIL import Image, ImageOps
from torch import Tensor
from torch.nn.functional import interpolate

from inkwash.errors import InvalidRequest
from inkwash.forward.noising import add_noise
from inkwash.pictures.picture import images_of, pixels_of
from inkwash.pipeline.batch import Batch
from inkwash.pipeline.beside import beside_of
from inkwash.pipeline.noises import noises
from inkwash.pipeline.space import Space
from inkwash.pipeline.start import Start
from inkwash.pipeline.walking import walk_of
from inkwash.request.generate import GenerateRequest
from inkwash.request.hires import LATENT, STRENGTH, SUFFIX, Hires, upscaler_named
from inkwash.reverse.naming import chosen, named
from inkwash.types import Latents
from inkwash.weights.bundle import Bundle

Size = tuple[int, int]
Enlarged = Float[Tensor, "b c rows columns"]


def filled(request: GenerateRequest, bundle: Bundle) -> Hires:
    """The second pass of a request that is resolved otherwise, without gaps where the first pass has an answer.

    Raises InvalidRequest for a pass that cannot be painted.
    """
    asked = request.hires
    if not asked.acts:
        if asked != Hires():
            raise InvalidRequest("hires.scale", None, "given, or a hires.width: the second pass needs a size")
        return asked
    if request.image is not None:
        raise InvalidRequest("hires", "a second pass", "left out where there is an image to start from")
    asked = _ours(asked, request)
    upscaler = asked.upscaler if asked.upscaler.endswith(SUFFIX) else upscaler_named(asked.upscaler)
    if max(asked.size((request.width or 0, request.height or 0), bundle.multiple)) > 4096:
        raise InvalidRequest("hires.scale", asked.scale, "small enough for at most 4096 pixels along a side")
    return replace(asked, upscaler=upscaler, steps=asked.steps or request.steps, strength=asked.strength or STRENGTH)


def _ours(asked: Hires, first: GenerateRequest) -> Hires:
    """With our names of sampler and spacing; what is as in the first pass stays unsaid."""
    before = str(first.sampler), str(first.spacing)
    try:
        named(asked.sampler, asked.spacing)
        after = chosen(asked.sampler, asked.spacing, before)
    except InvalidRequest as error:
        raise InvalidRequest(f"hires.{error.field}", error.value, error.wanted) from None
    sampler, spacing = (now if now != was else None for now, was in zip(after, before, strict=True))
    return replace(asked, sampler=sampler, spacing=spacing)


def second_pass(batch: Batch, bundle: Bundle) -> Batch:
    """The requests of the second pass: larger, and with what was said of it instead of what was said of the first."""
    return Batch(tuple(_second(each, bundle.multiple) for each in batch.requests), batch.shared.steps or 1)


def _second(first: GenerateRequest, multiple: int) -> GenerateRequest:
    own = first.hires
    width, height = own.size((first.width or 0, first.height or 0), multiple)
    names = ("sampler", "spacing", "guidance", "prompt", "negative_prompt", "steps", "strength")
    said = {name: getattr(own, name) for name in names if getattr(own, name) is not None}
    return replace(first, **(said | {"width": width, "height": height, "strength": None}))


def second_start(latents: Latents, batch: Batch, larger: Batch, space: Space) -> Start:
    """Where the second pass begins: in the enlarged picture, under noise that has the seeds of the first.

    All its steps are walked; they are the last of steps / strength.
    """
    asked, own = larger.shared, batch.shared.hires
    size = asked.width or 0, asked.height or 0
    enlarged = _enlarged(latents, own, size, space)
    steps = asked.steps or 1
    planned = max(round(steps / (own.strength or STRENGTH)), steps)
    sigmas = walk_of(replace(asked, steps=planned), space.bundle).sigmas.to(latents)[-steps - 1 :]
    channels, rows, columns = enlarged.shape[1:]
    eps, noise = noises(larger, (channels, rows, columns), space.factor)
    x = add_noise(enlarged, sigmas[0], eps.to(latents))
    return Start(x, sigmas, noise, beside=beside_of(space.bundle, asked, None, noise))


def _enlarged(latents: Latents, own: Hires, size: Size, space: Space) -> Enlarged:
    """Latents of a picture of another size (width and height); where its shape differs, the rest is cut off evenly."""
    factor = space.factor
    if own.upscaler in LATENT:
        mode, smooth = LATENT[own.upscaler]
        return stretched(latents, (size[1] // factor, size[0] // factor), mode, smooth=smooth)
    images = larger_pictures(images_of(space.decode(latents)), size, own.upscaler)
    return space.encode(pixels_of(images).to(latents))


def stretched(latents: Latents, size: Size, mode: str, *, smooth: bool) -> Enlarged:
    """Latents of `size` (rows and columns), scaled until they cover it, and cut evenly."""
    high, wide = latents.shape[2:]
    scale = max(size[0] / high, size[1] / wide)
    rows, columns = max(round(high * scale), size[0]), max(round(wide * scale), size[1])
    if mode.startswith("nearest"):
        whole = interpolate(latents, (rows, columns), mode=mode)
    else:
        whole = interpolate(latents, (rows, columns), mode=mode, align_corners=False, antialias=smooth)
    top, left = (rows - size[0]) // 2, (columns - size[1]) // 2
    return whole[:, :, top : top + size[0], left : left + size[1]]


def larger_pictures(images: Sequence[Image.Image], size: Size, upscaler: str) -> list[Image.Image]:
    """Pictures of `size` (width and height): by a filter, or by a network and then a filter."""
    if upscaler.endswith(SUFFIX):
        images = by_network(images, Path(upscaler))
    way = Image.Resampling.NEAREST if upscaler == "Nearest" else Image.Resampling.LANCZOS
    return [ImageOps.fit(image, size, way) for image in images]


@torch.inference_mode()
def by_network(images: Sequence[Image.Image], path: Path) -> list[Image.Image]:
    """Pictures as large as an upscaling network makes them: ESRGAN, SwinIR, DAT …, whatever spandrel knows.

    Raises InvalidRequest if spandrel is not installed, or the file is none of its networks.
    """
    try:
        from spandrel import ImageModelDescriptor, ModelLoader
    except ImportError:
        wanted = "a name like Lanczos, or with the extra installed: pip install 'inkwash[upscale]'"
        raise InvalidRequest("hires.upscaler", str(path), wanted) from None
    except RuntimeError as error:  # torchvision of PyPI beside a torch for CPUs
        wanted = f"a name like Lanczos, or used with a torchvision that fits torch ({error})"
        raise InvalidRequest("hires.upscaler", str(path), wanted) from None
    if not path.is_file():
        raise InvalidRequest("hires.upscaler", str(path), f"a {SUFFIX} file that is there")
    try:
        network = ModelLoader(device="cpu").load_from_file(path)
    except Exception as error:  # noqa: BLE001  spandrel tells of unknown networks in errors of many kinds
        first = (str(error).splitlines() or [type(error).__name__])[0].rstrip(":")  # torch lists every weight
        raise InvalidRequest("hires.upscaler", str(path), f"an upscaling network ({first})") from None
    if not isinstance(network, ImageModelDescriptor) or network.input_channels != 3:
        raise InvalidRequest("hires.upscaler", str(path), "a network that enlarges coloured pictures")
    pixels = (pixels_of(images) + 1) / 2
    return images_of(torch.cat([network(pixels[index : index + 1]) for index in range(len(pixels))]) * 2 - 1)
