from dataclasses import replace

import pytest
import torch
from torch import nn

from inkwash.errors import WeightsError
from inkwash.latent.tiny_autoencoder import TAESD, TAESD3, TinyAutoencoder, TinyAutoencoderSpec
from inkwash.predictor.ip_adapter import IPAdapter
from inkwash.predictor.picture_tokens import IPAdapterSpec
from inkwash.predictor.t2i_adapter import FULL, FULL_XL, LIGHT, AdapterSpec, T2IAdapter
from inkwash.weights.helper_specs import ip_adapter_spec, t2i_adapter_spec, tiny_autoencoder_spec
from inkwash.weights.network_specs import Shapes

PLAIN = IPAdapterSpec((320, 640, 1280))


def shapes(network: nn.Module) -> Shapes:
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


@pytest.mark.parametrize("spec", [FULL, FULL_XL, LIGHT, replace(FULL, channels_in=1), replace(LIGHT, channels_in=1)])
def test_a_t2i_adapter_is_told_by_its_shapes(spec: AdapterSpec) -> None:
    with torch.device("meta"):
        assert t2i_adapter_spec(shapes(T2IAdapter(spec))) == spec


@pytest.mark.parametrize(
    "spec",
    [
        PLAIN,
        replace(PLAIN, kind="full", picture_width=1280),
        replace(PLAIN, kind="plus", tokens=16, picture_width=1280, inner_width=640, depth=3),
    ],
)
def test_an_ip_adapter_is_told_by_its_shapes(spec: IPAdapterSpec) -> None:
    with torch.device("meta"):
        assert ip_adapter_spec(shapes(IPAdapter(spec))) == spec


@pytest.mark.parametrize("spec", [TAESD, TAESD3])
def test_a_tiny_autoencoder_is_told_by_its_shapes(spec: TinyAutoencoderSpec) -> None:
    with torch.device("meta"):
        assert tiny_autoencoder_spec(shapes(TinyAutoencoder(spec))) == spec


def test_what_is_none_of_them_is_refused() -> None:
    nothing: Shapes = {"a.weight": (3, 4)}
    for kind, read in (("T2I", t2i_adapter_spec), ("IP", ip_adapter_spec), ("tiny", tiny_autoencoder_spec)):
        with pytest.raises(WeightsError, match=f"this is no {kind}"):
            read(nothing)


def test_faces_are_another_kind() -> None:
    with torch.device("meta"):
        found = {name: shape for name, shape in shapes(IPAdapter(PLAIN)).items() if name.startswith("ip_adapter")}
    with pytest.raises(WeightsError, match="of a kind that is not known"):
        ip_adapter_spec({**found, "image_proj.proj.0.weight": (1024, 512), "image_proj.norm.weight": (768,)})


def test_attentions_must_be_counted_through() -> None:
    with torch.device("meta"):
        found = dict(shapes(IPAdapter(PLAIN)))
    del found["ip_adapter.3.to_k_ip.weight"]
    with pytest.raises(WeightsError, match="this is no IP-Adapter"):
        ip_adapter_spec(found)
