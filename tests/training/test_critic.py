"""Who learns from what in a duel."""

from dataclasses import replace

import pytest
import torch

from inkwash.latent.autoencoder import Autoencoder
from inkwash.latent.spec import TINY
from inkwash.nn.imagenet import classifier
from inkwash.training.autoencoder import ReconstructionWeights, lesson
from inkwash.training.autoencoder_course import Crops
from inkwash.training.critic import Duel, FoolTheCritic, Shown, judged
from inkwash.training.critic_config import CriticConfig
from inkwash.training.discriminator import PatchDiscriminator, critic_loss


@pytest.fixture
def duel() -> Duel:
    torch.manual_seed(0)
    return Duel(Autoencoder(TINY), PatchDiscriminator(8, 2))


@pytest.fixture(scope="module")
def objective() -> FoolTheCritic:
    return FoolTheCritic(classifier("lite0"), ReconstructionWeights())


@pytest.fixture
def crops() -> Crops:
    dice = torch.Generator().manual_seed(1)
    pixels = torch.rand(4, 3, 16, 16, generator=dice) * 2 - 1
    return Crops(pixels, torch.randn(4, 4, 4, 4, generator=dice), halved=False)


def test_the_encoder_does_not_learn(duel: Duel) -> None:
    learns = {name.split(".")[1] for name, weight in duel.named_parameters() if weight.requires_grad}
    assert "encoder" not in learns
    assert "decoder" in learns
    stays = {name for name, weight in duel.named_parameters() if not weight.requires_grad}
    assert all(name.startswith("autoencoder.encoder.") for name in stays)


def test_judging_teaches_the_picture_and_not_the_critic(duel: Duel, crops: Crops) -> None:
    pixels = crops.pixels.clone().requires_grad_()
    verdicts = judged(duel.critic.eval(), pixels)
    assert torch.equal(verdicts, duel.critic(crops.pixels))
    verdicts.sum().backward()
    assert pixels.grad is not None
    assert pixels.grad.abs().sum() > 0
    assert all(weight.grad is None for weight in duel.critic.parameters())


def gradients(network: torch.nn.Module) -> list[torch.Tensor]:
    return [weight.grad.clone() for weight in network.parameters() if weight.grad is not None]


def test_a_critic_that_is_not_heard_leaves_the_decoder_to_likeness(
    duel: Duel, objective: FoolTheCritic, crops: Crops
) -> None:
    objective(duel, Shown(crops, 0.0)).loss.mean().backward()
    found = gradients(duel.autoencoder.decoder)
    duel.zero_grad()
    lesson(duel.autoencoder, crops.pixels, crops.eps, objective.eyes, objective.weights, halved=False).loss.backward()
    for a, b in zip(found, gradients(duel.autoencoder.decoder), strict=True):
        torch.testing.assert_close(a, b)


def test_the_critic_learns_to_tell_and_nothing_from_the_decoder(
    duel: Duel, objective: FoolTheCritic, crops: Crops
) -> None:
    duel.eval()  # spectral norms stand still
    objective(duel, Shown(crops, 0.5)).loss.mean().backward()
    found = gradients(duel.critic)
    duel.zero_grad()
    with torch.no_grad():
        fake = lesson(duel.autoencoder, crops.pixels, crops.eps, objective.eyes, objective.weights, halved=False).found
    critic_loss(duel.critic(crops.pixels), duel.critic(fake)).backward()
    for a, b in zip(found, gradients(duel.critic), strict=True):
        torch.testing.assert_close(a, b)


def test_the_critic_pulls_on_the_last_weights_as_hard_as_it_may(
    duel: Duel, objective: FoolTheCritic, crops: Crops
) -> None:
    duel.eval()
    last = duel.autoencoder.decoder.conv_out.weight
    pulled = []
    for pull in (0.0, 0.5):
        duel.zero_grad()
        objective(duel, Shown(crops, pull)).loss.mean().backward()
        assert last.grad is not None
        pulled.append(last.grad.clone())
    likeness, both = pulled
    torch.testing.assert_close((both - likeness).norm(), 0.5 * likeness.norm(), rtol=1e-3, atol=0)


def test_the_critics_voice_rises() -> None:
    config = CriticConfig(name="toy", size=32, images=100, batch=4, adversarial=0.5, alone=20, rise=40)
    assert [config.pull(images) for images in (0, 20, 40, 60, 99)] == [0, 0, 0.25, 0.5, 0.5]
    assert [replace(config, rise=0).pull(images) for images in (0, 19, 20, 99)] == [0, 0, 0.5, 0.5]
