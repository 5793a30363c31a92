"""Rules, worse networks and scaled features, from a request to the guess."""

import math
from contextlib import nullcontext
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from inkwash.denoiser import NetworkDenoiser, NoisePredictor, guided, halves, straight
from inkwash.errors import InvalidRequest
from inkwash.guidance import projected, rescaled, thresholded
from inkwash.pipeline.aim import aim, along, interval_of, rule_of, together
from inkwash.pipeline.batch import Batch
from inkwash.pipeline.engine import Engine
from inkwash.predictor.freeu import freed
from inkwash.predictor.mmdit import MMDiT
from inkwash.predictor.mmdit_spec import TINY_MMDIT
from inkwash.predictor.perturbed import perturbed
from inkwash.predictor.skipping import without
from inkwash.predictor.unet import UNet
from inkwash.request.generate import GenerateRequest
from inkwash.request.guidance import PAG, SLG, FreeU, Rules
from inkwash.types import Latents, TextStates
from tools.golden.filling import filled

CAT = GenerateRequest(prompt="a photo of a cat", negative_prompt="dog", seed=3, guidance=4.0)
SIGMAS = torch.tensor([9.0, 3.0, 1.0, 0.0])
SIGMA = torch.tensor(3.0)


def batch_of(engine: Engine, request: GenerateRequest) -> Batch:
    (batch,) = engine.batches([request])
    return batch


@torch.no_grad()
def guess(engine: Engine, request: GenerateRequest) -> Latents:
    return engine.denoiser(batch_of(engine, request), SIGMAS)(noisy(engine), SIGMA)


def noisy(engine: Engine) -> Latents:
    channels = engine.bundle.autoencoder.spec.latent_channels
    return 3 * torch.randn(1, channels, 8, 8, generator=torch.Generator().manual_seed(0))


def told(engine: Engine, words: str) -> NetworkDenoiser:
    bundle = engine.bundle
    return NetworkDenoiser(bundle.predictor, bundle.schedule, bundle.target, bundle.text([words]))


@pytest.mark.parametrize(
    ("rules", "rule"),
    [
        (Rules(), straight),
        (Rules(rescale=0.7), rescaled(0.7, "flow")),
        (Rules(mimic=2.0, percentile=0.9), thresholded(2.0, 0.9)),
        (Rules(projected=True, parallel=0.2, largest=3.0), projected(0.2, 3.0)),
        (Rules(rescale=0.5, mimic=2.0, projected=True), rescaled(0.5, "flow", thresholded(2.0, 1.0, projected()))),
    ],
)
@torch.no_grad()
def test_rules_weigh_the_two_guesses(engine: Engine, rules: Rules, rule: object) -> None:
    wanted, unwanted = told(engine, CAT.prompt), told(engine, "dog")
    expected = guided(wanted, unwanted, 4.0, rule=rule)(noisy(engine), SIGMA)  # type: ignore[arg-type]
    found = guess(engine, replace(CAT, rules=rules))
    torch.testing.assert_close(found, expected)
    assert (rules == Rules()) == torch.allclose(found, guess(engine, CAT))


def test_a_rule_that_remembers_is_made_for_every_batch(engine: Engine) -> None:
    asked = replace(CAT, rules=Rules(projected=True, largest=0.0))
    batch = batch_of(engine, asked)
    with torch.no_grad():
        first = engine.denoiser(batch, SIGMAS)
        once, twice = (first(noisy(engine), SIGMA) for _ in range(2))
        assert not torch.allclose(once, twice)
        torch.testing.assert_close(engine.denoiser(batch, SIGMAS)(noisy(engine), SIGMA), once)


def test_rules_act_in_the_interval_of_guidance(engine: Engine) -> None:
    asked = replace(CAT, guidance_until=2.0)
    assert torch.equal(guess(engine, asked), guess(engine, replace(asked, rules=Rules(rescale=0.7, mimic=1.0))))


@torch.no_grad()
def test_perturbed_attention_pushes_away_from_the_perturbed(engine: Engine) -> None:
    unet, x, wanted = engine.bundle.predictor, noisy(engine), told(engine, CAT.prompt)
    assert isinstance(unet, UNet)
    with perturbed(unet, ("mid",)):
        worse = wanted(x, SIGMA)
    asked = replace(CAT, pag=PAG(scale=2.0))
    torch.testing.assert_close(guess(engine, asked), guess(engine, CAT) + 2.0 * (wanted(x, SIGMA) - worse))
    past = 1000 - engine.bundle.schedule.t(SIGMA).item()
    asked = replace(CAT, pag=PAG(scale=2.0, adaptive=1.0 / past))
    torch.testing.assert_close(guess(engine, asked), guess(engine, CAT) + wanted(x, SIGMA) - worse)
    torch.testing.assert_close(guess(engine, replace(CAT, pag=PAG(scale=2.0, adaptive=9.0))), guess(engine, CAT))


def test_a_pushed_network_is_asked_once_for_all(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    predict = Engine._predict

    def counted(self: Engine, network: NoisePredictor, x: Latents, t: Tensor, text: TextStates) -> Latents:
        asked.append(len(x))
        return predict(self, network, x, t, text)

    monkeypatch.setattr(Engine, "_predict", counted)
    guess(engine, replace(CAT, pag=PAG(scale=2.0)))
    assert asked == [1, 1, 1]  # the wanted, the unwanted, the perturbed


@torch.no_grad()
def test_layers_are_skipped_in_their_part_of_the_way(engine: Engine) -> None:
    network = filled(MMDiT(TINY_MMDIT))
    asked = replace(CAT, slg=SLG(scale=2.5, layers=(1,), start=0.1, stop=0.9))
    ((block, pace),) = aim(asked, replace(engine.bundle, predictor=network), SIGMAS).pushes
    assert [pace(sigma) for sigma in SIGMAS] == [0.0, 2.5, 2.5, 0.0]
    x, t, words = torch.randn(1, 4, 8, 8), torch.tensor([500.0]), TextStates(torch.randn(1, 5, 16), torch.randn(1, 12))
    with block():
        weaker = network(x, t, words)
    torch.testing.assert_close(weaker, without(network, (1,))(x, t, words))
    assert not torch.allclose(weaker, network(x, t, words))


@torch.no_grad()
def test_scaled_features_count_for_both_guesses(engine: Engine) -> None:
    unet, x = engine.bundle.predictor, noisy(engine)
    assert isinstance(unet, UNet)
    with freed(unet, ((1.3, 0.9), (1.4, 0.2)), "diffusers"):
        expected = guess(engine, CAT)
    asked = replace(CAT, freeu=FreeU(b1=1.3, s1=0.9, b2=1.4, s2=0.2, version="diffusers"))
    torch.testing.assert_close(guess(engine, asked), expected)
    assert not torch.allclose(expected, guess(engine, CAT))
    denoise = engine.denoiser(batch_of(engine, asked), SIGMAS)
    both, (own, away) = denoise(x, SIGMA), halves(denoise, x, SIGMA)
    assert torch.equal(own, both)
    with freed(unet, ((1.3, 0.9), (1.4, 0.2)), "diffusers"):
        torch.testing.assert_close(away, told(engine, "dog")(x, SIGMA))


@torch.no_grad()
def test_several_prompts_are_weighed_by_a_rule_as_one(engine: Engine) -> None:
    one, other, away = told(engine, "a photo of a cat"), told(engine, "a beagle"), told(engine, "dog")
    weights = torch.tensor([1.0]), torch.tensor([0.5])
    x, rule = noisy(engine), rescaled(0.6, "flow")
    ways = [(one, weights[0]), (other, weights[1])]
    plain = along(ways, away, 4.0, (0.0, 99.0), straight)(x, SIGMA)
    wanted = away(x, SIGMA) + (plain - away(x, SIGMA)) / 4.0
    expected = guided(lambda *_: wanted, away, 4.0, rule=rule)(x, SIGMA)
    torch.testing.assert_close(along(ways, away, 4.0, (0.0, 99.0), rule)(x, SIGMA), expected)
    torch.testing.assert_close(together(ways)(x, SIGMA), one(x, SIGMA) + 0.5 * other(x, SIGMA))
    spoken = replace(CAT, prompt="a photo of a cat AND a beagle :0.5", rules=Rules(rescale=0.6))
    torch.testing.assert_close(guess(engine, spoken), expected)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"slg": SLG(scale=2.5)}, "slg.scale is 2.5, but must be left out: tiny is no Stable Diffusion 3"),
        ({"pag": PAG(scale=1.0, layers=("bottom",))}, "pag.layers is 'bottom', but must be one with self-attention"),
    ],
)
def test_what_a_model_cannot_do_is_said_before_it_paints(engine: Engine, more: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        engine.batches([replace(CAT, **more)])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Rules(rescale=2.0), "rules.rescale is 2.0, but must be a number from 0 to 1"),
        (lambda: Rules(mimic=-1.0), "rules.mimic is -1.0"),
        (lambda: PAG(layers=()), "pag.layers is"),
        (lambda: SLG(layers=()), "slg.layers is"),
        (lambda: SLG(layers=(-1,)), "slg.layers is -1, but must be a whole number from 0"),
        (lambda: FreeU(b2=9.0), "freeu.b2 is 9.0, but must be a number from 0 to 4"),
    ],
)
def test_wrong_options_are_named(make: object, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message), nullcontext():
        make()  # type: ignore[operator]


def test_a_flow_is_guided_from_its_infinite_beginning_on() -> None:
    assert interval_of(replace(CAT, guidance_from=0.0, guidance_until=1e4)) == (0.0, math.inf)
    assert interval_of(replace(CAT, guidance_from=0.5, guidance_until=9.0)) == (0.5, 9.0)


def test_what_rules_are_off_is_no_rule(engine: Engine) -> None:
    assert rule_of(Rules(percentile=0.9, parallel=0.5), engine.bundle) is straight
