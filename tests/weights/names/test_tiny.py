import pytest

from inkwash.weights.names.tiny import to_diffusers, to_own

ENCODER = {"0.weight": "encoder.layers.0.weight", "1.conv.4.bias": "encoder.layers.1.conv.4.bias",
           "14.weight": "encoder.layers.14.weight"}  # fmt: skip
DECODER = {"1.weight": "decoder.layers.0.weight", "3.conv.0.weight": "decoder.layers.2.conv.0.weight",
           "19.bias": "decoder.layers.18.bias"}  # fmt: skip
BOTH = {f"encoder.{old}": new for old, new in ENCODER.items()} | {f"decoder.{old}": new for old, new in DECODER.items()}


@pytest.mark.parametrize("names", [ENCODER, DECODER, BOTH])
def test_there_and_back(names: dict[str, str]) -> None:
    assert {recipe.olds[0]: new for new, recipe in to_diffusers(list(names)).items()} == names
    assert {new: recipe.olds[0] for new, recipe in to_own(list(names.values())).items()} == names


def test_names_of_other_programs() -> None:
    assert to_diffusers(["taesd_decoder.1.weight"]).keys() == {"decoder.layers.0.weight"}
    assert to_diffusers(["vae_scale"]).keys() == {"vae_scale"}
