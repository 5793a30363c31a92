import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from inkwash.errors import InvalidRequest
from inkwash.metadata.foreign import Foreign, foreign_of, from_infotext, read_foreign
from inkwash.request.generate import GenerateRequest
from inkwash.request.noise import Noise

LINE = "Steps: 20, Sampler: DPM++ 2M SDE, Schedule type: Karras, CFG scale: 7.5, Seed: 5, Size: 512x768, Model hash: ab"


def picture(**notes: str) -> Image.Image:
    info = PngInfo()
    for key, text in notes.items():
        info.add_itxt(key, text)
    file = BytesIO()
    Image.new("RGB", (4, 4)).save(file, "PNG", pnginfo=info)
    return Image.open(BytesIO(file.getvalue()))


def found(**notes: str) -> Foreign:
    read = foreign_of(picture(**notes))
    assert read is not None
    return read


def test_the_web_ui() -> None:
    read = found(parameters=f"a (猫:1.2)\nNegative prompt: blur\n{LINE}, Clip skip: 2, Model: v1-5, Version: v1.10.1")
    assert read == Foreign(
        "AUTOMATIC1111",
        GenerateRequest(
            prompt="a (猫:1.2)",
            negative_prompt="blur",
            steps=20,
            sampler="dpmpp_2m_sde",
            spacing="karras",
            guidance=7.5,
            seed=5,
            width=512,
            height=768,
            clip_skip=2,
            prompt_mode="a1111",
            noise=Noise(rng="philox"),
        ),
        "v1-5",
        {"Model hash": "ab", "Version": "v1.10.1"},
    )


@pytest.mark.parametrize(
    ("more", "program", "mode", "weighting"),
    [
        ("Version: f2.0.1v1.10.1", "Forge", "a1111", None),
        ("Version: inkwash 1.0", "inkwash", None, None),
        ("Version: Fooocus v2.5.5", "Fooocus", "a1111", None),
        ("Emphasis: No norm, Version: v1.9.0", "AUTOMATIC1111", "a1111", "plain"),
    ],
)
def test_relatives_of_the_web_ui(more: str, program: str, mode: str | None, weighting: str | None) -> None:
    read = from_infotext(f"a\n{LINE}, {more}")
    assert (read.program, read.request.prompt_mode, read.request.weighting) == (program, mode, weighting)


@pytest.mark.parametrize(
    ("sampler", "ours", "spacing"),
    [
        ("Euler a", "euler_ancestral", None),
        ("DPM++ 2M Karras", "dpmpp_2m", "karras"),
        ("DPM++ SDE", "dpmpp_sde", None),
        ("k_euler_a", "euler_ancestral", None),
        ("euler_a karras", "euler_ancestral", "karras"),
        ("LMS", "lms", None),
    ],
)
def test_samplers_by_all_their_names(sampler: str, ours: str, spacing: str | None) -> None:
    read = from_infotext(f"a\nSteps: 20, Seed: 1, CFG scale: 7, Sampler: {sampler}")
    assert (read.request.sampler, read.request.spacing) == (ours, spacing)


def test_what_we_cannot_do_is_kept() -> None:
    read = from_infotext(
        "a\nSteps: 5000, Sampler: Flying Carpet, CFG scale: much, Seed: 99999999999999999999, Extra: 1"
    )
    assert read.request == GenerateRequest(prompt="a", negative_prompt="", prompt_mode="a1111")
    assert read.rest == {
        "steps": "5000",
        "sampler": "Flying Carpet",
        "CFG scale": "much",
        "seed": "99999999999999999999",
        "Extra": "1",
    }


def test_a_prompt_that_cannot_be_read_is_literal() -> None:
    assert from_infotext(f"<hypernet:a:1> b\n{LINE}").request.prompt_mode == "literal"


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
@pytest.mark.parametrize("encoding", ["utf-16-be", "utf-16-le"])
def test_text_in_exif(tmp_path: Path, kind: str, encoding: str) -> None:
    exif = Image.Exif()
    exif[0x8769] = {0x9286: b"UNICODE\0" + f"a cat 猫\n{LINE}".encode(encoding)}
    path = tmp_path / "a.jpg"
    Image.new("RGB", (4, 4)).save(path, kind, exif=exif)
    assert read_foreign(path).request.prompt == "a cat 猫"


LORA = {"model": ["4", 0], "lora_name": "ink/x.safetensors", "strength_model": 0.75, "strength_clip": 0.5}
GRAPH: dict[str, Any] = {
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "seed": ["11", 0],
            "steps": 25,
            "cfg": 6.5,
            "sampler_name": "euler_ancestral",
            "scheduler": "karras",
            "denoise": 1,
            "model": ["10", 0],
            "positive": ["9", 0],
            "negative": ["7", 0],
            "latent_image": ["5", 0],
        },
    },
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "ink.safetensors"}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 640, "height": 512, "batch_size": 1}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a cat", "clip": ["4", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "blur", "clip": ["4", 1]}},
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
    "9": {"class_type": "ConditioningSetArea", "inputs": {"conditioning": ["6", 0]}},
    "10": {"class_type": "LoraLoader", "inputs": LORA},
    "11": {"class_type": "PrimitiveInt", "inputs": {"value": 2**62 + 1}},
    "12": {"class_type": "SaveImage", "inputs": {"images": ["8", 0]}},
}


def test_a_graph_of_comfyui() -> None:
    assert found(prompt=json.dumps(GRAPH), workflow="{}") == Foreign(
        "ComfyUI",
        GenerateRequest(
            prompt="a cat <lora:x:0.5:0.75>",
            negative_prompt="blur",
            seed=2**62 + 1,
            steps=25,
            guidance=6.5,
            sampler="euler_ancestral",
            spacing="karras",
            width=640,
            height=512,
            prompt_mode="native",
            weighting="comfy",
            noise=Noise(rng="batch"),
        ),
        "ink.safetensors",
        {"denoise": "1"},
    )


def test_a_graph_with_a_guider() -> None:
    graph = {
        "1": {"class_type": "SaveImage", "inputs": {"images": ["2", 0]}},
        "2": {
            "class_type": "SamplerCustomAdvanced",
            "inputs": {"noise": ["3", 0], "guider": ["4", 0], "sigmas": ["5", 0]},
        },
        "3": {"class_type": "RandomNoise", "inputs": {"noise_seed": 9}},
        "4": {"class_type": "CFGGuider", "inputs": {"cfg": 4, "positive": ["6", 0], "negative": ["7", 0]}},
        "5": {"class_type": "BasicScheduler", "inputs": {"steps": 12, "scheduler": "simple"}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a dog"}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "ink"}},
    }
    asked = found(prompt=json.dumps(graph)).request
    assert (asked.prompt, asked.negative_prompt, asked.seed, asked.steps) == ("a dog", "ink", 9, 12)
    assert (asked.guidance, asked.spacing) == (4.0, "simple")


def test_a_graph_as_the_editor_draws_it() -> None:
    def node(number: int, kind: str, values: list[Any], **links: int) -> dict[str, Any]:
        inputs = [{"name": name, "link": link} for name, link in links.items()]
        return {"id": number, "type": kind, "widgets_values": values, "inputs": inputs}

    graph = {
        "nodes": [
            node(1, "CLIPTextEncode", ["a cat"]),
            node(2, "CLIPTextEncode", ["blur"]),
            node(3, "KSampler", [7, "fixed", 20, 8, "heun", "normal", 1], positive=1, negative=2, latent_image=3),
            node(4, "EmptyLatentImage", [256, 128, 1]),
        ],
        "links": [[1, 1, 0, 3, 1, "C"], [2, 2, 0, 3, 2, "C"], [3, 4, 0, 3, 3, "L"]],
    }
    asked = found(workflow=json.dumps(graph)).request
    assert (asked.prompt, asked.negative_prompt, asked.seed, asked.steps) == ("a cat", "blur", 7, 20)
    assert (asked.guidance, asked.sampler, asked.spacing, asked.width, asked.height) == (8, "heun", "normal", 256, 128)


def test_a_graph_in_a_circle_ends() -> None:
    graph = {
        "1": {"class_type": "KSampler", "inputs": {"seed": ["2", 0], "positive": ["2", 0], "steps": 3}},
        "2": {"class_type": "Loop", "inputs": {"a": ["1", 0], "b": ["2", 0]}},
    }
    assert found(prompt=json.dumps(graph)).request.steps == 3


@pytest.mark.parametrize(
    ("notes", "program", "asked"),
    [
        (
            {
                "invokeai_metadata": '{"positive_prompt": "a cat", "negative_prompt": "blur", "width": 64, '
                '"height": 96, "seed": 5, "cfg_scale": 7, "steps": 9, "scheduler": "dpmpp_2m_k", '
                '"model": {"name": "ink", "key": "k"}}'
            },
            "InvokeAI",
            {"guidance": 7.0, "sampler": "dpmpp_2m", "spacing": "karras"},
        ),
        (
            {
                "fooocus_scheme": "fooocus",
                "parameters": '{"prompt": "a cat", "negative_prompt": "blur", "resolution": "(64, 96)", "seed": "5", '
                '"guidance_scale": 4.0, "steps": 9, "sampler": "heun", "scheduler": "karras", "base_model": "ink"}',
            },
            "Fooocus",
            {"guidance": 4.0, "sampler": "heun", "spacing": "karras", "prompt_mode": "a1111", "weighting": "a1111"},
        ),
        (
            {
                "parameters": '{"sui_image_params": {"prompt": "a cat", "negativeprompt": "blur", "seed": 5, '
                '"steps": 9, "cfgscale": 5, "width": 64, "height": 96, "model": "ink"}, "sui_extra_data": {}}'
            },
            "SwarmUI",
            {"guidance": 5.0, "prompt_mode": "native", "weighting": "comfy"},
        ),
        (
            {
                "Software": "NovelAI",
                "Description": "a cat",
                "Comment": '{"steps": 9, "sampler": "k_euler_ancestral", "seed": 5, "scale": 11, "uc": "blur", '
                '"width": 64, "height": 96, "model": "ink"}',
            },
            "NovelAI",
            {"guidance": 11.0, "sampler": "euler_ancestral"},
        ),
        (
            {
                "XML:com.adobe.xmp": "<x><li>{&quot;c&quot;:&quot;a cat&quot;,&quot;uc&quot;:&quot;blur&quot;,"
                "&quot;steps&quot;:9,&quot;seed&quot;:5,&quot;scale&quot;:3,&quot;size&quot;:&quot;64x96&quot;,"
                "&quot;model&quot;:&quot;ink&quot;}</li></x>"
            },
            "Draw Things",
            {"guidance": 3.0},
        ),
        (
            {
                "settings": '{"prompt": "a cat", "negative_prompt": "blur", "num_inference_steps": 9, "seed": 5, '
                '"guidance_scale": 7.5, "width": 64, "height": 96, "model": "ink"}'
            },
            "JSON",
            {"guidance": 7.5},
        ),
        (
            {
                "prompt": "a cat",
                "negative_prompt": "blur",
                "seed": "5",
                "num_inference_steps": "9",
                "guidance_scale": "7.5",
                "width": "64",
                "height": "96",
                "use_stable_diffusion_model": "ink",
            },
            "Easy Diffusion",
            {"guidance": 7.5},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_other_programs(notes: dict[str, str], program: str, asked: dict[str, Any]) -> None:
    read = found(**notes)
    shared = {"prompt": "a cat", "negative_prompt": "blur", "seed": 5, "steps": 9, "width": 64, "height": 96}
    assert read.request == GenerateRequest(**{**shared, "prompt_mode": "literal", **asked})
    assert (read.program, read.model) == (program, "ink")


def test_pictures_that_say_nothing(tmp_path: Path) -> None:
    assert foreign_of(picture(note="hello")) is None
    assert foreign_of(picture(prompt="{", workflow="[]", settings='{"a": 1}')) is None
    picture().save(tmp_path / "a.png")
    with pytest.raises(InvalidRequest, match="says how it was painted"):
        read_foreign(tmp_path / "a.png")


def test_deep_json_is_no_settings() -> None:
    assert foreign_of(picture(settings='{"a":' * 50_000, prompt='{"a":' * 50_000)) is None


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
NAMES = ("prompt", "steps", "seed", "width", "size", "sampler", "scheduler", "model", "cfg", "image", "uc", "c")
INPUTS = ("positive", "negative", "seed", "steps", "text", "cfg", "model", "guider")
keys = st.sampled_from(NAMES)
links = st.tuples(st.sampled_from("123"), st.just(0)).map(list)
inputs = st.dictionaries(st.sampled_from(INPUTS), links | anything, max_size=5)
nodes = st.fixed_dictionaries({"class_type": st.sampled_from(["KSampler", "SaveImage", "X"]), "inputs": inputs})


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(keys, anything, max_size=5))
def test_any_table_is_read_without_a_stumble(table: dict[str, Any]) -> None:
    read = foreign_of(picture(settings=json.dumps(table)))
    assert read is None or isinstance(read.request, GenerateRequest)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.sampled_from("123"), nodes | anything, max_size=3), anything)
def test_any_graph_is_read_without_a_stumble(graph: dict[str, Any], rows: Any) -> None:
    drawn = {"nodes": [*graph.values()], "links": rows}
    for notes in ({"prompt": json.dumps(graph)}, {"workflow": json.dumps(drawn)}):
        read = foreign_of(picture(**notes))
        assert read is None or isinstance(read.request, GenerateRequest)
