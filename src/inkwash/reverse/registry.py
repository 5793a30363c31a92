"""Samplers by name. With options: `functools.partial(SAMPLERS["ddim"], eta=0.5)`."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from inkwash.reverse.ancestral import euler_ancestral
from inkwash.reverse.ddim import ddim
from inkwash.reverse.ddpm import ddpm
from inkwash.reverse.deis import deis
from inkwash.reverse.dpm2 import dpm2, dpm2_ancestral
from inkwash.reverse.dpm_solver import dpm_adaptive, dpm_fast
from inkwash.reverse.dpmpp_2m import dpmpp_2m
from inkwash.reverse.dpmpp_2m_sde import dpmpp_2m_sde
from inkwash.reverse.dpmpp_2s_ancestral import dpmpp_2s_ancestral
from inkwash.reverse.dpmpp_3m_sde import Habits, dpmpp_3m_sde
from inkwash.reverse.dpmpp_sde import dpmpp_sde
from inkwash.reverse.er_sde import er_sde
from inkwash.reverse.euler import euler
from inkwash.reverse.flow import in_flow
from inkwash.reverse.gradient_estimation import gradient_estimation
from inkwash.reverse.heun import heun
from inkwash.reverse.heunpp2 import heunpp2
from inkwash.reverse.ipndm import ipndm
from inkwash.reverse.lcm import lcm
from inkwash.reverse.lms import lms
from inkwash.reverse.pndm import pndm
from inkwash.reverse.res_multistep import res_multistep
from inkwash.reverse.restart import restart
from inkwash.reverse.sa_solver import Adams, sa_solver
from inkwash.reverse.seeds import HEUN, THREE, seeds
from inkwash.reverse.singlestep import dpmpp_singlestep
from inkwash.reverse.step import Sampler
from inkwash.reverse.tcd import tcd
from inkwash.reverse.unipc import UniPC, unipc

SAMPLERS: Mapping[str, Sampler] = MappingProxyType(
    {
        "euler": euler,
        "euler_ancestral": euler_ancestral,
        "heun": heun,
        "ddim": ddim,
        "ddpm": ddpm,
        "dpmpp_2m": dpmpp_2m,
        "dpmpp_2m_sde": dpmpp_2m_sde,
        "dpmpp_sde": dpmpp_sde,
        "lms": lms,
        "heunpp2": heunpp2,
        "dpm2": dpm2,
        "dpm2_ancestral": dpm2_ancestral,
        "dpm_fast": dpm_fast,
        "dpm_adaptive": dpm_adaptive,
        "dpmpp_2s": dpmpp_singlestep,
        "dpmpp_3s": partial(dpmpp_singlestep, order=3),
        "dpmpp_2s_ancestral": dpmpp_2s_ancestral,
        "dpmpp_2m_sde_heun": partial(dpmpp_2m_sde, solver="heun"),
        "dpmpp_3m_sde": dpmpp_3m_sde,
        "dpmpp_3m": partial(dpmpp_3m_sde, eta=0.0, habits=Habits(solver="midpoint")),
        "unipc": unipc,
        "unipc_bh1": partial(unipc, method=UniPC(family="bh1")),
        "deis": deis,
        "sa_solver": sa_solver,
        "sa_solver_pece": partial(sa_solver, method=Adams(predictor=3, corrector=4, again=True)),
        "er_sde": er_sde,
        "restart": restart,
        "res_multistep": res_multistep,
        "res_multistep_ancestral": partial(res_multistep, eta=1.0),
        "gradient_estimation": gradient_estimation,
        "ipndm": ipndm,
        "ipndm_v": partial(ipndm, uneven=True),
        "pndm": pndm,
        "seeds_2": seeds,
        "seeds_3": partial(seeds, stages=THREE),
        "exp_heun_2_x0": partial(seeds, stages=HEUN),
        "exp_heun_2_x0_sde": partial(seeds, stages=replace(HEUN, eta=1.0)),
        "lcm": lcm,
        "tcd": tcd,
        "euler_cfg_pp": partial(euler_ancestral, eta=0.0, plus=True),
        "euler_ancestral_cfg_pp": partial(euler_ancestral, plus=True),
        "dpmpp_2s_ancestral_cfg_pp": partial(dpmpp_2s_ancestral, plus=True),
        "dpmpp_2m_cfg_pp": partial(dpmpp_2m, plus=True),
        "res_multistep_cfg_pp": partial(res_multistep, plus=True),
        "res_multistep_ancestral_cfg_pp": partial(res_multistep, eta=1.0, plus=True),
        "gradient_estimation_cfg_pp": partial(gradient_estimation, plus=True),
        "heun_flow": in_flow(heun),
        "dpm2_flow": in_flow(dpm2),
        "dpmpp_2m_flow": in_flow(dpmpp_2m),
    }
)
"""Every sampler, deterministic or not. `_cfg_pp` is CFG++, `_flow` counts as rectified flow does."""
