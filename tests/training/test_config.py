"""Runs as values."""

from dataclasses import replace

import pytest

from inkwash.errors import InvalidRequest
from inkwash.forward.schedule import DiscreteSchedule, FlowSchedule
from inkwash.training.config import OptimizerConfig, TrainConfig, same_run


def test_a_config_is_the_same_after_a_trip_through_json(config: TrainConfig) -> None:
    same_run(config.as_json(), config)


def test_a_run_may_grow(config: TrainConfig) -> None:
    same_run(config.as_json(), replace(config, images=10_000, prompts=("a red",)))


def test_a_run_outlives_new_fields(config: TrainConfig) -> None:
    before = config.as_json()
    del before["alignment"], before["predictor"]["stages"][0]["depth"]
    same_run(before, config)
    before["predictor"]["stages"][0]["channels"] = 64
    with pytest.raises(InvalidRequest, match=r"^predictor\.stages\.0\.channels is 32, but must be 64 as"):
        same_run(before, config)
    before["predictor"]["stages"] *= 2
    with pytest.raises(InvalidRequest, match=r"length is 1, but must be 2|channels is 32, but must be 64"):
        same_run(before, config)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"batch": 4}, "batch"),
        ({"optimizer": OptimizerConfig(rate=3e-4, warm_up=16)}, "optimizer.rate"),
        ({"seed": 1}, "seed"),
    ],
)
def test_what_has_changed_is_named(config: TrainConfig, change: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidRequest, match=rf"^{field} is .* as when this run began"):
        same_run(config.as_json(), replace(config, **change))  # type: ignore[arg-type]


def test_impossible_runs_are_refused(config: TrainConfig) -> None:
    with pytest.raises(InvalidRequest, match="images is 4, but must be at least one batch"):
        replace(config, images=4)
    with pytest.raises(InvalidRequest, match="weighting"):
        replace(config, weighting="min-snr")


def test_schedules_by_name(config: TrainConfig) -> None:
    assert isinstance(config.noise_levels(), FlowSchedule)
    for name in ("scaled-linear", "linear", "cosine"):
        assert isinstance(replace(config, schedule=name).noise_levels(), DiscreteSchedule)
