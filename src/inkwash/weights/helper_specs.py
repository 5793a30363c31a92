"""Which helper a file holds, as the value that builds it: T2I-Adapters, IP-Adapters and tiny autoencoders.

Read from the names and shapes of its tensors alone, under the names that our networks have.
"""

from dataclasses import replace

from inkwash.errors import WeightsError
from inkwash.latent.tiny_autoencoder import TAESD, TinyAutoencoderSpec
from inkwash.predictor.picture_tokens import IPAdapterSpec
from inkwash.predictor.t2i_adapter import FULL, FULL_XL, LIGHT, AdapterSpec
from inkwash.weights.network_specs import Shapes


def t2i_adapter_spec(shapes: Shapes) -> AdapterSpec:
    """The table of a T2I-Adapter.  Raises WeightsError if it is none.

    SD's and SDXL's adapters differ in the size of their patches, which tells where maps are halved.
    """
    full, light = shapes.get("adapter.conv_in.weight", ()), shapes.get("adapter.body.0.in_conv.weight", ())
    first, known = (full, FULL) if full else (light, LIGHT)
    if len(first) != 4:
        raise WeightsError("this is no T2I-Adapter")
    if full and first[1] % FULL_XL.patch**2 == 0:
        known = FULL_XL
    blocks = 1 + max(_numbers(shapes, "adapter.body.0.resnets."), default=-1)
    last = "out_conv" if known.kind == "light" else "resnets.0.block2"
    widths = [shapes.get(f"adapter.body.{n}.{last}.weight", (0,))[0] for n in range(len(known.channels))]
    return replace(known, channels=tuple(widths), blocks=blocks, channels_in=first[1] // known.patch**2)


def ip_adapter_spec(shapes: Shapes) -> IPAdapterSpec:
    """The table of an IP-Adapter.  Raises WeightsError if it is none, or of a kind that is not known.

    A plain one's number of tokens follows from the width of its words.
    """
    numbers = sorted(_numbers(shapes, "ip_adapter."))
    keys = [shapes.get(f"ip_adapter.{number}.to_k_ip.weight", ()) for number in numbers]
    if not keys or any(len(shape) != 2 for shape in keys) or numbers != list(range(1, 2 * len(numbers), 2)):
        raise WeightsError("this is no IP-Adapter")
    spec = IPAdapterSpec(tuple(shape[0] for shape in keys), text_width=keys[0][1])
    plain, full = shapes.get("image_proj.proj.weight"), shapes.get("image_proj.proj.0.weight")
    latents, resampled = shapes.get("image_proj.latents"), shapes.get("image_proj.proj_in.weight")
    if plain and len(plain) == 2:
        return replace(spec, picture_width=plain[1], tokens=plain[0] // spec.text_width)
    if full and "image_proj.proj.3.weight" in shapes:
        return replace(spec, kind="full", picture_width=full[-1])
    if latents and resampled and len(latents) == 3:
        depth = 1 + max(_numbers(shapes, "image_proj.layers."), default=-1)
        plus = replace(spec, kind="plus", picture_width=resampled[-1], inner_width=latents[2])
        return replace(plus, tokens=latents[1], depth=depth)
    raise WeightsError("this IP-Adapter is of a kind that is not known; plain, full and plus are")


def tiny_autoencoder_spec(shapes: Shapes) -> TinyAutoencoderSpec:
    """The table of a TAESD.  Raises WeightsError if it is none."""
    first = shapes.get("decoder.layers.0.weight", ())
    if len(first) != 4:
        raise WeightsError("this is no tiny autoencoder")
    return replace(TAESD, latent_channels=first[1], width=first[0])


def _numbers(shapes: Shapes, prefix: str) -> set[int]:
    """The numbers that follow `prefix` in names."""
    rests = (name.removeprefix(prefix).split(".")[0] for name in shapes if name.startswith(prefix))
    return {int(rest) for rest in rests if rest.isascii() and rest.isdecimal() and len(rest) < 5}
