"""Graphs of ComfyUI: what nodes set in a request, passes one behind the other, and what is told instead."""

import json
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from inkwash.metadata.foreign import Foreign, foreign_of
from inkwash.request.fields import value_at
from inkwash.request.hires import Hires
from inkwash.request.noise import Noise
from inkwash.request.refiner import Refiner

Graph = dict[str, dict[str, Any]]
PLAIN: Graph = {
    "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "ink.safetensors"}},
    "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a cat", "clip": ["1", 1]}},
    "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blur", "clip": ["1", 1]}},
    "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 768, "batch_size": 1}},
    "5": {
        "class_type": "KSampler",
        "inputs": {
            "seed": 7,
            "steps": 20,
            "cfg": 6.5,
            "sampler_name": "euler",
            "scheduler": "normal",
            "denoise": 1.0,
            "model": ["1", 0],
            "positive": ["2", 0],
            "negative": ["3", 0],
            "latent_image": ["4", 0],
        },
    },
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
    "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0]}},
}


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


def changed(graph: Graph, number: str, **inputs: Any) -> Graph:
    one = graph[number]
    return {**graph, number: {**one, "inputs": {**one["inputs"], **inputs}}}


def read(graph: Any, chunk: str = "prompt") -> Foreign:
    info, file = PngInfo(), BytesIO()
    info.add_itxt(chunk, json.dumps(graph))
    Image.new("RGB", (4, 4)).save(file, "PNG", pnginfo=info)
    found = foreign_of(Image.open(BytesIO(file.getvalue())))
    assert found is not None
    return found


def with_model(kind: str, **inputs: Any) -> Foreign:
    """What is read of a graph with a node between checkpoint and sampler."""
    graph = {**PLAIN, "6": node(kind, model=["1", 0], **inputs)}
    return read(changed(graph, "5", model=["6", 0]))


@pytest.mark.parametrize(
    ("kind", "inputs", "fields"),
    [
        (
            "FreeU",
            {"b1": 1.1, "b2": 1.2, "s1": 0.9, "s2": 0.2},
            {"freeu.b1": 1.1, "freeu.b2": 1.2, "freeu.s1": 0.9, "freeu.s2": 0.2, "freeu.version": "1"},
        ),
        ("FreeU_V2", {"b1": 1.3, "b2": 1.4}, {"freeu.b1": 1.3, "freeu.b2": 1.4, "freeu.version": "2"}),
        ("PerturbedAttentionGuidance", {"scale": 3}, {"pag.scale": 3.0, "pag.layers": ("mid",)}),
        ("RescaleCFG", {"multiplier": 0.7}, {"rules.rescale": 0.7}),
        (
            "APG",
            {"eta": 0.5, "norm_threshold": 5.0, "momentum": -0.25},
            {"rules.projected": True, "rules.parallel": 0.5, "rules.largest": 5.0, "rules.momentum": -0.25},
        ),
        (
            "SkipLayerGuidanceSD3",
            {"layers": "7, 8, 9", "scale": 3.0, "start_percent": 0.01, "end_percent": 0.15},
            {"slg.layers": (7, 8, 9), "slg.scale": 3.0, "slg.start": 0.01, "slg.stop": 0.15},
        ),
        ("ModelSamplingDiscrete", {"sampling": "v_prediction", "zsnr": False}, {"prediction": "v_prediction"}),
        (
            "DynamicThresholdingSimple",
            {"mimic_scale": 7.0, "threshold_percentile": 0.99},
            {"rules.mimic": 7.0, "rules.percentile": 0.99},
        ),
        (
            "TiledDiffusion",
            {"method": "MultiDiffusion", "tile_width": 768, "tile_overlap": 64},
            {"tiling.window": 768, "tiling.overlap": 64},
        ),
    ],
)
def test_nodes_that_a_request_has_fields_for(kind: str, inputs: dict[str, Any], fields: dict[str, Any]) -> None:
    found = with_model(kind, **inputs)
    assert {place: value_at(found.request, place) for place in fields} == fields
    assert (found.rest, found.model) == ({"denoise": "1.0"}, "ink.safetensors")


@pytest.mark.parametrize(
    ("kind", "inputs", "told"),
    [
        ("ModelSamplingSD3", {"shift": 3.0}, {"ModelSamplingSD3": "shift=3.0"}),
        ("ModelSamplingDiscrete", {"sampling": "eps", "zsnr": True}, {"ModelSamplingDiscrete zsnr": "True"}),
        ("ModelSamplingDiscrete", {"sampling": "lcm"}, {"ModelSamplingDiscrete": "sampling=lcm"}),
        ("FreeU", {"b1": "much"}, {"FreeU": "b1=much"}),
        ("FreeU", {"b1": 99.0}, {"FreeU": "b1=99.0"}),
        ("LoraLoader", {"lora_name": "a:b.safetensors"}, {"LoraLoader": "lora_name=a:b.safetensors"}),
    ],
)
def test_what_a_request_cannot_say_is_told(kind: str, inputs: dict[str, Any], told: dict[str, str]) -> None:
    found = with_model(kind, **inputs)
    assert found.rest == {"denoise": "1.0", **told}
    assert (found.request.prompt, found.request.steps) == ("a cat", 20)


def test_noise_is_that_of_a_batch_and_adapters_are_called_by_name() -> None:
    graph = {
        **PLAIN,
        "6": node(
            "LoraLoader", model=["1", 0], clip=["1", 1], lora_name="a.safetensors", strength_model=0.5, strength_clip=1
        ),
        "7": node("LoraLoaderModelOnly", model=["6", 0], lora_name="sub\\b.safetensors", strength_model=0.75),
    }
    found = read(changed(graph, "5", model=["7", 0]))
    assert found.request.noise == Noise(rng="batch")
    assert found.request.prompt == "a cat <lora:a:1.0:0.5><lora:b:0.0:0.75>"
    literal = read(changed(changed(graph, "5", model=["7", 0]), "2", text="<hypernet:a:1>"))
    assert (literal.request.prompt, literal.request.prompt_mode) == ("<hypernet:a:1>", "literal")
    assert literal.rest["loras"] == "<lora:a:1.0:0.5><lora:b:0.0:0.75>"


def test_the_text_encoder_is_left_early() -> None:
    graph = {**PLAIN, "6": node("CLIPSetLastLayer", clip=["1", 1], stop_at_clip_layer=-2)}
    assert read(changed(graph, "2", clip=["6", 0])).request.clip_skip == 2


def test_sizes_that_sdxl_is_told_are_not_those_of_the_picture() -> None:
    said = {"width": 4096, "height": 2048, "crop_w": 8, "crop_h": 16, "target_width": 1024, "target_height": 960}
    graph = {
        **PLAIN,
        "2": node("CLIPTextEncodeSDXL", **said, text_g="a cat", text_l="cat", clip=["1", 1]),
        "3": node("CLIPTextEncodeSDXL", **said, text_g="blur", text_l="blur", clip=["1", 1]),
    }
    asked = read(graph).request
    assert (asked.width, asked.height, asked.prompt) == (512, 768, "a cat")
    assert (asked.micro.original, asked.micro.corner, asked.micro.target) == ((4096, 2048), (8, 16), (1024, 960))


def test_nothing_unwanted_as_zeros_is_not_the_wanted_words() -> None:
    asked = read({**PLAIN, "3": node("ConditioningZeroOut", conditioning=["2", 0])}).request
    assert (asked.prompt, asked.negative_prompt, asked.silence) == ("a cat", "", True)


def second(*between: tuple[str, dict[str, Any]], **inputs: Any) -> Graph:
    """A graph with a second pass behind such nodes."""
    graph, link = dict(PLAIN), "5"
    for number, (kind, said) in enumerate(between, 10):
        name = next(name for name in ("samples", "pixels", "image") if name in said)
        graph[str(number)] = node(kind, **{**said, name: [link, 0]})
        link = str(number)
    again = {**PLAIN["5"]["inputs"], "steps": 12, "denoise": 0.5, "latent_image": [link, 0], **inputs}
    graph["20"] = {"class_type": "KSampler", "inputs": again}
    return changed(graph, "8", samples=["20", 0])


LATENT = {"samples": None, "upscale_method": "bicubic", "scale_by": 1.5}
PIXELS = {"image": None, "upscale_method": "lanczos", "width": 1024, "height": 1536}


@pytest.mark.parametrize(
    ("graph", "hires"),
    [
        (
            second(("LatentUpscaleBy", LATENT)),
            Hires(scale=1.5, upscaler="Latent (bicubic)", steps=12, strength=0.5),
        ),
        (
            second(
                ("LatentUpscale", {"samples": None, "upscale_method": "nearest-exact", "width": 1024, "height": 0}),
                sampler_name="dpmpp_2m",
                scheduler="karras",
                cfg=4.0,
            ),
            Hires(
                width=1024,
                upscaler="Latent (nearest-exact)",
                steps=12,
                strength=0.5,
                sampler="dpmpp_2m",
                spacing="karras",
                guidance=4.0,
            ),
        ),
        (
            second(
                ("VAEDecode", {"samples": None}),
                ("ImageScale", PIXELS),
                ("VAEEncode", {"pixels": None}),
                positive=["3", 0],
            ),
            Hires(width=1024, height=1536, upscaler="Lanczos", steps=12, strength=0.5, prompt="blur"),
        ),
    ],
)
def test_a_second_pass(graph: Graph, hires: Hires) -> None:
    found = read(graph)
    assert found.request.hires == hires
    first = found.request
    assert (first.width, first.height, first.steps, first.sampler, first.guidance) == (512, 768, 20, "euler", 6.5)
    assert found.rest == {"denoise": "1.0"}


def test_a_second_pass_that_we_cannot_make_is_told() -> None:
    found = read(second(("LatentUpscaleBy", {**LATENT, "upscale_method": "bislerp"})))
    assert found.request.hires == Hires()
    assert found.rest["pass 2"].startswith("LatentUpscaleBy: upscale_method=bislerp, scale_by=1.5; KSampler: seed=7")


def test_a_refiner() -> None:
    base = {**PLAIN["5"]["inputs"], "noise_seed": 7, "start_at_step": 0, "end_at_step": 20}
    graph = {
        **PLAIN,
        "5": {"class_type": "KSamplerAdvanced", "inputs": {k: base[k] for k in base if k not in ("seed", "denoise")}},
        "6": node("CheckpointLoaderSimple", ckpt_name="refiner.safetensors"),
    }
    going_on = {**graph["5"]["inputs"], "steps": 25, "start_at_step": 20, "latent_image": ["5", 0], "model": ["6", 0]}
    found = read(changed({**graph, "20": node("KSamplerAdvanced", **going_on)}, "8", samples=["20", 0]))
    assert found.request.refiner == Refiner(model="refiner.safetensors", switch_at=0.8)
    assert (found.model, found.rest) == ("ink.safetensors", {})


def test_samplers_and_levels_by_their_own_nodes() -> None:
    graph = {
        "1": node("SaveImage", images=["2", 0]),
        "2": node(
            "SamplerCustomAdvanced",
            noise=["3", 0],
            guider=["4", 0],
            sampler=["5", 0],
            sigmas=["6", 0],
            latent_image=["9", 0],
        ),
        "3": node("RandomNoise", noise_seed=9),
        "4": node("CFGGuider", cfg=4, model=["10", 0], positive=["7", 0], negative=["8", 0]),
        "5": node("SamplerEulerAncestral", eta=0.5, s_noise=1.01),
        "6": node("KarrasScheduler", steps=12, sigma_max=14.6, sigma_min=0.03, rho=7.0),
        "7": node("CLIPTextEncode", text="a dog"),
        "8": node("CLIPTextEncode", text="ink"),
        "9": node("EmptySD3LatentImage", width=64, height=96),
        "10": node("PerturbedAttentionGuidance", scale=2.0),
    }
    asked = read(graph).request
    assert (asked.sampler, asked.way.eta, asked.way.s_noise) == ("euler_ancestral", 0.5, 1.01)
    assert (asked.spacing, asked.steps, asked.pag.scale, asked.width) == ("karras", 12, 2.0, 64)


def test_the_editor_keeps_values_without_names() -> None:
    def drawn(number: int, kind: str, values: list[Any], **links: int) -> dict[str, Any]:
        inputs = [{"name": name, "link": link} for name, link in links.items()]
        return {"id": number, "type": kind, "widgets_values": values, "inputs": inputs}

    graph = {
        "nodes": [
            drawn(1, "CLIPTextEncode", ["a cat"]),
            drawn(3, "KSampler", [7, "fixed", 20, 8, "heun", "normal", 1], positive=1, model=4, latent_image=3),
            drawn(4, "EmptyLatentImage", [256, 128, 1]),
            drawn(5, "SkipLayerGuidanceSD3", ["7, 8", 3, 0.01, 0.15], model=5),
            drawn(6, "LoraLoader", ["ink.safetensors", 0.5, 1]),
            drawn(7, "VAEDecodeTiled", [512, 64], samples=6),
        ],
        "links": [
            [1, 1, 0, 3, 1, "C"],
            [3, 4, 0, 3, 3, "L"],
            [4, 5, 0, 3, 0, "M"],
            [5, 6, 0, 5, 0, "M"],
            [6, 3, 0, 7, 0, "L"],
        ],
    }
    asked = read(graph, "workflow").request
    assert (asked.prompt, asked.slg.layers, asked.slg.scale) == ("a cat <lora:ink:1.0:0.5>", (7, 8), 3.0)
    assert asked.tiling.decode == 512
