from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from inkwash.pipeline.batch import MOST, batches, merged
from inkwash.request.generate import GenerateRequest

CAT, DOG = GenerateRequest(prompt="a cat", seed=5), GenerateRequest(prompt="a dog", seed=50)

some_requests = st.lists(
    st.builds(
        GenerateRequest,
        prompt=st.sampled_from(["a cat", "a dog"]),
        seed=st.integers(0, 5),
        count=st.integers(1, 20),
        steps=st.sampled_from([3, 4]),
        subseed=st.just(1),
        subseed_strength=st.sampled_from([0.0, 0.5]),
    ),
    min_size=1,
    max_size=4,
)


def test_different_prompts_go_together() -> None:
    (batch,) = batches([CAT, DOG])
    assert batch.prompts == ["a cat", "a dog"]
    assert len(batch) == 2
    assert batch.unwanted == ["", ""]


def test_different_settings_do_not() -> None:
    assert [len(batch) for batch in batches([CAT, replace(DOG, steps=9), DOG])] == [1, 1, 1]


def test_large_counts_are_cut_to_batches() -> None:
    assert [len(batch) for batch in batches([replace(CAT, count=35)])] == [16, 16, 3]


@settings(max_examples=20, deadline=None)
@given(some_requests)
def test_every_picture_is_in_one_batch_in_order(requests: list[GenerateRequest]) -> None:
    grouped = list(batches(requests))
    singles = [single for request in requests for single in request.singles()]
    assert [single for batch in grouped for single in batch.requests] == singles
    assert all(len(batch) <= MOST for batch in grouped)
    for batch in grouped:
        assert len({(single.steps, single.subseed_strength) for single in batch.requests}) == 1


@settings(max_examples=20, deadline=None)
@given(some_requests)
def test_merged_requests_mean_the_same_pictures(requests: list[GenerateRequest]) -> None:
    singles = [single for request in requests for single in request.singles()]
    short = merged(singles)
    assert [single for request in short for single in request.singles()] == singles
    assert len(short) <= len(requests)


def test_following_seeds_merge_into_one_request() -> None:
    assert merged(list(replace(CAT, count=9).singles())) == (replace(CAT, count=9),)
    varied = replace(CAT, subseed=3, subseed_strength=0.5, count=4)
    assert merged(list(varied.singles())) == (varied,)
    assert merged([CAT, DOG]) == (CAT, DOG)
