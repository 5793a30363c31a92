"""Pickled checkpoints are read, and whatever is in them nothing runs."""

import argparse
import collections
import io
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from inkwash.errors import WeightsError
from inkwash.weights.containers import ckpt
from inkwash.weights.containers.ckpt import IGNORED, open_ckpt
from inkwash.weights.containers.opening import open_source

STATE = {
    "a": torch.arange(12.0).reshape(3, 4),
    "b.c": torch.arange(30).reshape(5, 6).half().t(),
    "part": torch.arange(10.0)[3:7],
    "whole": torch.arange(5),
    "none": torch.zeros(0, 3),
    "one": torch.tensor(2.5),
    "brain": torch.ones(7, dtype=torch.bfloat16),
    "taught": torch.nn.Parameter(torch.ones(2, 2)),
    "bytes": torch.arange(4, dtype=torch.uint8),
}


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("wrapped", [True, False])
def test_what_torch_writes_is_read(tmp_path: Path, zipped: bool, wrapped: bool) -> None:
    whole = {"epoch": 3, "state_dict": collections.OrderedDict(STATE), "optimizer_states": [{"x": torch.ones(2)}]}
    torch.save(whole if wrapped else STATE, tmp_path / "x.ckpt", _use_new_zipfile_serialization=zipped)
    source = open_ckpt(tmp_path / "x.ckpt")
    assert source.slots.keys() == STATE.keys()
    for name, tensor in STATE.items():
        found = source[name]
        assert found.dtype == tensor.dtype
        assert torch.equal(found, tensor)
    assert source.container == "pickle"


def test_objects_of_a_trainer_become_nothing(tmp_path: Path) -> None:
    torch.save({"state_dict": STATE, "hyper": argparse.Namespace(lr=1e-4), "dtype": torch.float16}, tmp_path / "x.ckpt")
    source = open_ckpt(tmp_path / "x.ckpt")
    assert source.metadata[IGNORED] == "argparse.Namespace"


def test_textual_inversion_of_old(tmp_path: Path) -> None:
    params = torch.nn.ParameterDict({"*": torch.nn.Parameter(torch.ones(2, 768))})
    torch.save({"string_to_token": {"*": 265}, "string_to_param": params, "name": "x"}, tmp_path / "x.pt")
    assert open_ckpt(tmp_path / "x.pt").shape("string_to_param.*") == (2, 768)


class Reduced:
    """Pickles into whatever call one wishes."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


def hostile(tmp_path: Path) -> dict[str, Any]:
    owned = str(tmp_path / "owned")
    return {
        "os.system": Reduced(os.system, f"touch {owned}"),
        "subprocess": Reduced(subprocess.call, ["touch", owned]),
        "open": Reduced(open, owned, "w"),
        "eval": Reduced(eval, f"open({owned!r}, 'w')"),
        "exec": Reduced(exec, f"open({owned!r}, 'w')"),
        "getattr": Reduced(getattr, "x", "upper"),
        "import": Reduced(__import__, "antigravity"),
        "pickle in pickle": Reduced(pickle.loads, pickle.dumps(Reduced(os.system, f"touch {owned}"))),
        "torch.load": Reduced(torch.load, owned),
        "torch.hub": Reduced(torch.hub.load_state_dict_from_url, "http://127.0.0.1:1/x"),
        "numpy": Reduced(pytest.importorskip("numpy").save, owned, [1]),
    }


@pytest.mark.parametrize("attack", hostile(Path()))
@pytest.mark.parametrize("zipped", [True, False])
def test_nothing_in_a_pickle_runs(tmp_path: Path, attack: str, zipped: bool) -> None:
    path = tmp_path / "evil.ckpt"
    evil = {"state_dict": {"a": torch.ones(2)}, "x": hostile(tmp_path)[attack]}
    if zipped:
        torch.save(evil, path)
    else:
        torch.save(evil, path, _use_new_zipfile_serialization=False)
    with pytest.raises(WeightsError, match="inkwash convert"):
        open_source(path)
    try:
        source = open_ckpt(path)
    except WeightsError as error:
        assert "which weights have no need for" in str(error) or "broken" in str(error)  # noqa: PT017
    else:
        assert torch.equal(source["a"], torch.ones(2))
    assert [each.name for each in tmp_path.iterdir()] == ["evil.ckpt"]


@pytest.mark.parametrize("attack", ["os.system", "eval", "getattr", "open", "import"])
def test_calls_that_no_weights_need_refuse_the_file(tmp_path: Path, attack: str) -> None:
    torch.save({"a": torch.ones(2), "x": hostile(tmp_path)[attack]}, tmp_path / "evil.ckpt")
    with pytest.raises(WeightsError, match=r"evil\.ckpt: it asks for \w+\.\w+, which weights have no need for"):
        open_ckpt(tmp_path / "evil.ckpt")


def archive(pickled: bytes, stored: dict[str, bytes] | None = None, method: int = zipfile.ZIP_STORED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as file:
        file.writestr("archive/data.pkl", pickled)
        for key, numbers in (stored or {}).items():
            file.writestr(f"archive/data/{key}", numbers)
    return data.getvalue()


def rebuilt(
    key: str = "0", count: int = 4, offset: int = 0, shape: bytes = b"K\x04\x85", stride: bytes = b"K\x01\x85"
) -> bytes:
    """A pickle of {'a': a tensor}, by hand."""

    def word(value: str) -> bytes:
        return b"X" + len(value).to_bytes(4, "little") + value.encode()

    storage = (
        b"("
        + word("storage")
        + b"ctorch\nFloatStorage\n"
        + word(key)
        + word("cpu")
        + b"J"
        + count.to_bytes(4, "little")
        + b"tQ"
    )
    call = (
        b"ctorch._utils\n_rebuild_tensor_v2\n("
        + storage
        + b"J"
        + offset.to_bytes(4, "little")
        + shape
        + stride
        + b"\x89)tR"
    )
    return b"\x80\x02}" + word("a") + call + b"s."


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (archive(rebuilt(), {"0": bytes(12)}), "reaches beyond its numbers"),
        (archive(rebuilt(offset=1), {"0": bytes(16)}), "reaches beyond"),
        (archive(rebuilt(stride=b"K\xff\x85"), {"0": bytes(16)}), "reaches beyond"),
        (archive(rebuilt(stride=b"J\xff\xff\xff\xff\x85"), {"0": bytes(16)}), "not whole numbers"),
        (archive(rebuilt(shape=b"K\x02K\x02\x86"), {"0": bytes(16)}), "not whole numbers"),
        (archive(rebuilt(key="9"), {"0": bytes(16)}), "numbers that are not there"),
        (archive(rebuilt(), {"0": bytes(16)}, zipfile.ZIP_DEFLATED), "compressed"),
        (archive(b"\x80\x02}.", {}), "no tensors"),
        (archive(b"\x80\x02}", {}), "does not end|broken"),
        (archive(b"\x80\x02(((", {}), "broken|does not end"),
        (archive(b"\x80\x02i os\nsystem\n.", {}), "uses INST|broken"),
        (archive(b"\x80\x04\x8c\x02os\x8c\x06system\x93.", {}), r"asks for os\.system"),
        (archive(b"\x80\x02" + b"h\x05" + b".", {}), "broken"),
        (archive(b"\x80\x02X\xff\xff\xff\x7f.", {}), "broken"),
        (b"PK\x03\x04" + bytes(100), "broken"),
        (b"\x80\x02}.", "not torch's"),
        (b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", "broken|does not end"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "x.ckpt"
    path.write_bytes(data)
    with pytest.raises(WeightsError, match=message) as raised:
        open_ckpt(path)
    assert "\n" not in str(raised.value)


def test_a_pickle_written_by_hand_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.ckpt").write_bytes(archive(rebuilt(), {"0": torch.arange(4.0).numpy().tobytes()}))
    assert open_ckpt(tmp_path / "x.ckpt")["a"].tolist() == [0, 1, 2, 3]


def test_a_pickle_that_doubles_itself_takes_no_memory(tmp_path: Path) -> None:
    laughs = b"\x80\x02]" + b"".join(b"q%c](h%ch%ce" % (n, n, n) for n in range(60)) + b"."
    (tmp_path / "x.ckpt").write_bytes(archive(laughs))
    with pytest.raises(WeightsError, match="no tensors"):
        open_ckpt(tmp_path / "x.ckpt")


def test_a_dict_inside_itself_ends(tmp_path: Path) -> None:
    (tmp_path / "x.ckpt").write_bytes(archive(b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s."))
    with pytest.raises(WeightsError, match="no tensors"):
        open_ckpt(tmp_path / "x.ckpt")


def test_patience_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ckpt, "PROGRAM", "import time; time.sleep(30)")
    (tmp_path / "x.ckpt").write_bytes(archive(rebuilt()))
    with pytest.raises(WeightsError, match="takes too long"):
        open_ckpt(tmp_path / "x.ckpt", patience=0.2)


@pytest.mark.parametrize(
    "answer",
    [
        '{"tensors": {"a": ["F32", [4], [1], 9999999, 0]}}',
        '{"tensors": {"a": ["F32", [4], [1], -4, 0]}}',
        '{"tensors": {"a": ["F32", [4], [1, 2], 0, 0]}}',
        '{"tensors": {"a": ["XYZ", [4], [1], 0, 0]}}',
        '{"tensors": {"a": 7}}',
        '{"tensors": 7}',
        "7",
        "",
    ],
)
def test_the_jail_is_believed_no_more_than_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr(ckpt, "PROGRAM", f"print({answer!r})")
    (tmp_path / "x.ckpt").write_bytes(archive(rebuilt(), {"0": bytes(16)}))
    with pytest.raises(WeightsError, match=r"broken|lies outside"):
        open_ckpt(tmp_path / "x.ckpt")


@pytest.mark.skipif(sys.platform != "linux", reason="limits are those of Linux")
@pytest.mark.parametrize(
    "deed",
    [
        "open('/etc/hostname')",
        "open('x', 'w')",
        "__import__('socket').socket()",
        "os.pipe()",
        "bytearray(2**32)",
        "os.listdir('.')",
    ],
)
def test_the_jail_is_shut(tmp_path: Path, deed: str) -> None:
    code = f"""
import os, sys, socket
sys.path.insert(0, {str(ckpt.ROOT)!r})
from inkwash.weights.containers.jail import shut_in
shut_in()
try:
    {deed}
except (OSError, MemoryError) as error:
    print("refused")
"""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.stdout == "refused\n", done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_jail_brings_no_torch() -> None:
    code = f"import sys; sys.path.insert(0, {str(ckpt.ROOT)!r})\nimport inkwash.weights.containers.jail\n"
    code += "print([name for name in ('torch', 'numpy', 'socket') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
