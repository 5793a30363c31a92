import pytest
import torch

from inkwash.errors import InvalidRequest, WeightsError
from inkwash.weights.containers.source import Source, in_memory
from inkwash.weights.merge import Blend, labels_of, merged, read_blocks
from inkwash.weights.single import together
from tools.topology import clip, filled, unets, vae

NET = "model.diffusion_model"
IN, MID, OUT = (
    f"{NET}.input_blocks.4.0.x.weight",
    f"{NET}.middle_block.1.x.weight",
    f"{NET}.output_blocks.11.0.x.weight",
)
TEXT, VAE, TIME = "cond_stage_model.transformer.x", "first_stage_model.x", "model.diffusion_model.time_embed.0.weight"
FIRST = "model.diffusion_model.input_blocks.0.0.weight"


def model(value: float, channels: int = 4, dtype: torch.dtype = torch.float32) -> Source:
    names = (IN, MID, OUT, TEXT, VAE, TIME)
    tensors = {name: torch.full((2, 3), value, dtype=dtype) for name in names}
    whole = tensors | {FIRST: torch.full((8, channels, 3, 3), value, dtype=dtype), "betas": torch.ones(3)}
    return in_memory(whole | {"cond_stage_model.ids": torch.arange(3)}, what=f"model {value}")


def test_weighted() -> None:
    found = merged(model(1.0), model(5.0), Blend(0.25))
    assert (found[IN] == 2).all()
    assert found["cond_stage_model.ids"].tolist() == [0, 1, 2]
    assert "betas" not in found.slots


@pytest.mark.parametrize(("weight", "wanted"), [(0.0, 1.0), (1.0, 5.0)])
def test_ends_are_exact(weight: float, wanted: float) -> None:
    assert (merged(model(1.0), model(5.0), Blend(weight))[IN] == wanted).all()


def test_difference() -> None:
    found = merged(model(1.0), model(5.0), Blend(0.5), model(3.0))
    assert (found[IN] == 2).all()
    same = merged(model(1.0), model(5.0), Blend(0.7), model(5.0))
    assert torch.equal(same[IN], model(1.0)[IN])


def test_blocks_have_weights_of_their_own() -> None:
    found = merged(model(0.0), model(1.0), Blend(0.5, read_blocks("IN=0.1,IN04=0.2, MID=0.3,OUT=0.4,TEXT=0,VAE=1")))
    assert {name: round(float(found[name].mean()), 6) for name in (IN, MID, OUT, TEXT, VAE, TIME, FIRST)} == {
        IN: 0.2, MID: 0.3, OUT: 0.4, TEXT: 0.0, VAE: 1.0, TIME: 0.5, FIRST: 0.1,
    }  # fmt: skip


def test_labels() -> None:
    assert labels_of(OUT) == ("OUT11", "OUT")
    assert labels_of("input_blocks.0.0.bias") == ("IN00", "IN")
    assert labels_of("model.diffusion_model.joint_blocks.7.x") == ("JOINT07", "JOINT")


@pytest.mark.parametrize("blocks", ["IN", "IN=x", "XX=1", "IN4=1", "MID01=1", "IN=nan", "IN=inf"])
def test_blocks_that_are_none(blocks: str) -> None:
    with pytest.raises(InvalidRequest, match="blocks is"):
        read_blocks(blocks)


def test_types_of_the_first_stay_and_sums_are_exact() -> None:
    found = merged(model(1.0, dtype=torch.float16), model(1.0009765625, dtype=torch.float32), Blend(1.0))
    assert found[IN].dtype == torch.float16
    assert (found[IN] == 1.0009765625).all()


def test_an_inpainting_model_takes_what_another_has_learnt() -> None:
    found = merged(model(1.0, channels=9), model(5.0), Blend(1.0), model(3.0))
    assert (found[FIRST][:, :4] == 3).all()
    assert (found[FIRST][:, 4:] == 1).all()


def test_misfits_are_listed_at_once() -> None:
    other = in_memory({IN: torch.ones(2, 4), MID: torch.ones(2, 3)}, what="other")
    with pytest.raises(WeightsError) as raised:
        merged(model(1.0), other, Blend())
    said = str(raised.value)
    assert f"{IN} is (2, 3) in model 1.0 and (2, 4) in other" in said
    assert f"other lacks {OUT}" in said
    assert "\n" not in said


def test_a_folder_mixes_with_a_file() -> None:
    parts = {"unet": unets(32, 1)["bk-sdm-tiny"], "vae": vae((16, 32)), "text_encoder": clip(768, 1, vocabulary=20)}
    sources = {name: filled(slots) for name, slots in parts.items()}
    folder = in_memory({f"{name}/{each}": part[each] for name, part in sources.items() for each in part.slots})
    found = merged(together(sources, "sd1"), folder, Blend(0.5))
    assert torch.equal(found[FIRST], sources["unet"]["conv_in.weight"])
