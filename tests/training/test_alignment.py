from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch.nn.functional import cosine_similarity

from inkwash.errors import WeightsError
from inkwash.training.alignment import WIDTH, Aligned, AlsoSee, view_cache, watched
from inkwash.training.config import TrainConfig
from inkwash.training.data import Pictures
from inkwash.training.lessons import batch_at, picker
from inkwash.training.objective import objective_of
from inkwash.training.parts import Parts
from inkwash.training.predictor_course import PredictorCourse, predictor_course
from inkwash.training.run import Habits, prepare, run
from inkwash.weights.parts import read_predictor


@pytest.fixture
def seeing(config: TrainConfig) -> TrainConfig:
    return replace(config, alignment=0.5, predictor=replace(config.predictor, dropout=0.0))


@pytest.fixture
def course(tmp_path: Path, seeing: TrainConfig, pictures: Pictures, parts: Parts) -> PredictorCourse:
    return predictor_course(seeing, pictures, parts, tmp_path / "cache", lambda line: None)


@pytest.fixture
def network(seeing: TrainConfig) -> Aligned:
    torch.manual_seed(0)
    return Aligned(seeing.predictor)


def test_the_loss_is_that_of_the_noise_and_what_is_not_seen(
    course: PredictorCourse, seeing: TrainConfig, network: Aligned
) -> None:
    batch, again = (
        batch_at(course.shelf, picker(course.shelf, course.learn, seeing), seeing, range(8)) for _ in range(2)
    )  # chance is used up
    tell = objective_of(seeing)
    with watched(network.predictor.mid_block) as bottoms:
        alone = tell(network.predictor, batch)
    assert batch.view is not None
    alike = cosine_similarity(network.head(bottoms[0]), batch.view, dim=1).mean((1, 2))
    both = AlsoSee(tell, 0.5)(network, again)
    torch.testing.assert_close(both.loss, alone.loss + 0.5 * (1 - alike))
    assert torch.equal(both.sigma, alone.sigma)


def test_the_head_teaches_the_predictor(course: PredictorCourse, seeing: TrainConfig, network: Aligned) -> None:
    AlsoSee(objective_of(seeing), 0.5)(
        network, batch_at(course.shelf, picker(course.shelf, course.learn, seeing), seeing, range(8))
    ).loss.sum().backward()
    grad = network.predictor.mid_block.resnets[0].conv2.weight.grad
    assert grad is not None
    assert grad.abs().sum() > 0  # the last convolution is zero at the beginning: nothing else could have moved it


def test_nobody_watches_afterwards(network: Aligned) -> None:
    with watched(network.predictor.mid_block):
        pass
    assert not network.predictor.mid_block._forward_hooks


def test_views_are_of_unit_variance_and_remembered(tmp_path: Path, pictures: Pictures) -> None:
    path = view_cache(pictures, 2, tmp_path)
    views = load_file(path)["views"].float()
    assert views.shape == (24, 2, WIDTH, 2, 2)
    moving = views.std((0, 1, 3, 4)) > 0.5
    torch.testing.assert_close(views.mean((0, 1, 3, 4)), torch.zeros(WIDTH), atol=1e-2, rtol=0)
    torch.testing.assert_close(views.std((0, 1, 3, 4))[moving], torch.ones(int(moving.sum())), atol=1e-2, rtol=0)
    assert moving.sum() > WIDTH / 2
    before = path.stat().st_mtime_ns
    assert view_cache(pictures, 2, tmp_path) == path
    assert path.stat().st_mtime_ns == before


def test_a_run_ends_with_a_predictor_without_a_head(course: PredictorCourse, tmp_path: Path) -> None:
    out = tmp_path / "run"
    list(run(prepare(course, out), out, Habits()))
    taught = read_predictor(out / "predictor.safetensors")
    assert taught.target == "flow"
    assert not any("head" in name for name in taught.network.state_dict())


def test_a_run_may_begin_with_what_another_learned(course: PredictorCourse, tmp_path: Path) -> None:
    first = tmp_path / "first"
    list(run(prepare(course, first), first, Habits()))
    learned = read_predictor(first / "predictor.safetensors").network.state_dict()
    second = replace(course, start=first / "predictor.safetensors")
    network = second.network()
    assert isinstance(network, Aligned)
    for name, weight in network.predictor.state_dict().items():
        assert torch.equal(weight, learned[name])
    assert set(second.materials()) - set(course.materials()) == {"start"}


def test_a_run_does_not_begin_with_another_network(course: PredictorCourse, tmp_path: Path) -> None:
    out = tmp_path / "run"
    list(run(prepare(course, out), out, Habits()))
    other = replace(course.config, predictor=replace(course.config.predictor, text_width=16))
    with pytest.raises(WeightsError, match="does not fit"):
        replace(course, config=other, start=out / "predictor.safetensors").network()
