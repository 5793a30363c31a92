import pytest

from inkwash.errors import InvalidRequest
from inkwash.reverse.names import LABELS, OTHERS, SPACING_KEYS, Named, found, found_spacing
from inkwash.reverse.registry import SAMPLERS
from inkwash.reverse.scheduler_class import PLAIN, SOLVERS
from inkwash.reverse.spacing import SPACINGS

KNOWN = {
    "DPM++ 2M Karras": Named("dpmpp_2m", "karras"),
    "DPM++ 2M SDE Heun Exponential": Named("dpmpp_2m_sde_heun", "exponential"),
    "Euler a": Named("euler_ancestral"),
    "k_euler_a": Named("euler_ancestral"),
    "k_dpmpp_2m": Named("dpmpp_2m"),
    "DPM2 a Karras": Named("dpm2_ancestral", "karras", discard=True),
    "DPM++ 3M SDE": Named("dpmpp_3m_sde", discard=True),
    "DDIM": Named("ddim"),
    "DDIM CFG++": Named("euler_cfg_pp"),
    "PLMS": Named("pndm"),
    "UniPC": Named("unipc_bh1"),
    "uni_pc": Named("unipc_bh1"),
    "uni_pc_bh2": Named("unipc"),
    "unipc": Named("unipc"),
    "dpm_2_ancestral": Named("dpm2_ancestral", discard=True),
    "dpmpp_2m_sde_gpu": Named("dpmpp_2m_sde"),
    "res_multistep_ancestral_cfg_pp": Named("res_multistep_ancestral_cfg_pp"),
    "kdpm_2_a": Named("dpm2_ancestral", discard=True),
    "dpmpp_2m_k": Named("dpmpp_2m", "karras"),
    "euler_k": Named("euler", "karras"),
    "unipc_k": Named("unipc", "karras"),
    "dpmpp_3m": Named("dpmpp_3m"),
    "dpmpp_3m_k": Named("dpmpp_3m", "karras"),
    "dpm++2s_a": Named("dpmpp_2s_ancestral"),
    "ddim_trailing": Named("ddim", "trailing"),
    "euler_a karras": Named("euler_ancestral", "karras"),
    "euler_ge": Named("gradient_estimation"),
    "DPMSolverMultistepScheduler": Named("dpmpp_2m"),
    "LMS Karras": Named("lms", "karras"),
    "Euler SGM Uniform": Named("euler", "sgm_uniform"),
}


@pytest.mark.parametrize("name", KNOWN)
def test_names_of_other_programs(name: str) -> None:
    assert found(name) == KNOWN[name]


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_has_its_own_name_and_its_label(name: str) -> None:
    assert found(name).sampler == name
    assert found(LABELS[name]).sampler == name


def test_the_tables_speak_of_what_there_is() -> None:
    assert set(LABELS) == set(SAMPLERS)
    assert set(SPACING_KEYS) == set(SPACINGS)
    classes = {name for names in OTHERS.values() for name in names if name.endswith("Scheduler")}
    assert classes >= {*PLAIN, *SOLVERS}


@pytest.mark.parametrize(
    ("name", "sampler", "expected"),
    [
        ("Karras", "euler", "karras"),
        ("Automatic", "dpmpp_2m", "karras"),
        ("Automatic", "dpmpp_3m_sde", "exponential"),
        ("Automatic", "euler", "uniform"),
        ("SGM Uniform", "euler", "sgm_uniform"),
        ("KL Optimal", "euler", "kl_optimal"),
        ("Align Your Steps", "euler", "align_your_steps"),
        ("AYS", "euler", "align_your_steps"),
        ("ddim_uniform", "euler", "ddim_uniform"),
        ("DDIM", "euler", "leading"),
        ("linspace", "euler", "uniform"),
    ],
)
def test_spacings_of_other_programs(name: str, sampler: str, expected: str) -> None:
    assert found_spacing(name, sampler) == expected


def test_what_nobody_uses_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="sampler is 'eular', but must be a sampler's name"):
        found("eular")
    with pytest.raises(InvalidRequest, match="spacing is 'bumpy', but must be one of karras"):
        found_spacing("bumpy", "euler")
