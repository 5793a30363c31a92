import pytest

from tools.source import block, on_page_markdown


def test_a_function_stands_in_the_page_as_it_stands_in_its_file() -> None:
    page = on_page_markdown("before\n\n::: source inkwash.forward.noising.add_noise\n\nafter\n", page=None)
    assert page.startswith('before\n\n```python title="src/inkwash/forward/noising.py" linenums="')
    assert "def add_noise(" in page
    assert "    return clean + per_image(sigma) * eps\n```\n\nafter\n" in page
    assert "def shrink" not in page


def test_a_class_brings_its_decorator() -> None:
    assert block("inkwash.forward.schedule.FlowSchedule").splitlines()[1] == "@dataclass(frozen=True)"


def test_a_method_brings_its_decorator_too_and_nothing_else() -> None:
    text = block("inkwash.forward.schedule.DiscreteSchedule.cosine")
    assert text.splitlines()[1] == "    @classmethod"
    assert "def linear" not in text
    assert "return cls.from_betas" in text


def test_a_constant_brings_the_string_below_it() -> None:
    assert "D(x; sigma)" in block("inkwash.denoiser.Denoiser")


def test_a_whole_module() -> None:
    assert 'linenums="1"\n"""' in block("inkwash.rng")


@pytest.mark.parametrize("name", ["inkwash.forward.noising.nothing", "elsewhere.thing"])
def test_a_name_that_is_gone_stops_the_build(name: str) -> None:
    with pytest.raises(LookupError):
        block(name)


def test_api_directives_are_left_alone() -> None:
    assert on_page_markdown("::: inkwash.denoiser\n") == "::: inkwash.denoiser\n"
