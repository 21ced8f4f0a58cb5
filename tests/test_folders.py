"""A run folder may lie in an object store: the same rows, the same going on, the same page."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import msgspec
import pytest

from innerear.errors import UsageError
from innerear.records import Completion, Measurement, Render
from innerear.run.folders import folder, is_local
from innerear.run.parts import Writer, compact, read_rows

COMMAND = [sys.executable, "-m", "innerear"]
FEW = [
    "--model",
    "baseline/informed",
    "--model",
    "baseline/noise",
    "--suite",
    "1",
    "--probes",
    "notes/waveform/*",
    "--embedder",
    "mel",
]


class Row(msgspec.Struct, frozen=True):
    key: str
    value: int = 0


def serve_s3() -> tuple[subprocess.Popen[bytes], int]:
    """Start the server on a free port, on another one if that was taken meanwhile."""
    for _ in range(5):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 120
        while server.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
                return server, port
            time.sleep(0.1)
        server.kill()
        server.wait()
    raise RuntimeError("moto's server did not start")


@pytest.fixture(scope="module")
def bucket():
    """A bucket of a local server that speaks S3."""
    for name in ("moto", "s3fs", "upath"):
        pytest.importorskip(name, reason="the extra [s3] and moto's server are not installed")
    from s3fs import S3FileSystem

    S3FileSystem.clear_instance_cache()  # those of an earlier server, if another test came between this module's
    server, port = serve_s3()
    address = f"http://127.0.0.1:{port}"
    settings = {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    before = dict(os.environ)
    os.environ.update(settings)
    try:
        urllib.request.urlopen(urllib.request.Request(f"{address}/sounds", method="PUT"), timeout=60).close()
        yield "s3://sounds"
    finally:
        server.kill()
        server.wait()
        os.environ.clear()
        os.environ.update(before)


def innerear(*words, code=0):
    done = subprocess.run([*COMMAND, *map(str, words)], capture_output=True, text=True, timeout=400)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_a_local_folder_is_a_plain_path():
    assert folder("runs/demo") == Path("runs/demo")
    assert folder("file:///runs/demo") == Path("/runs/demo")
    assert is_local(folder("runs/demo"))


def test_an_address_of_no_known_kind_is_one_line():
    pytest.importorskip("upath", reason="the extra [s3] is not installed")
    with pytest.raises(UsageError, match=r"nonsense://here cannot be used"):
        folder("nonsense://here")


@pytest.mark.slow
def test_rows_in_an_object_store_merge_and_compact_as_on_a_disk(bucket):
    place = folder(f"{bucket}/rows")
    assert not is_local(place)
    for part in ([Row("a", 1), Row("b", 1)], [Row("a", 2), Row("c", 2)]):
        writer = Writer(place, Row)
        writer.keep(*part)
        writer.flush()
    rows = {"a": Row("a", 1), "b": Row("b", 1), "c": Row("c", 2)}
    assert read_rows(place, Row) == rows
    assert len(list(place.glob("*.jsonl"))) == 2
    compact(place, Row)
    assert len(list(place.glob("*.jsonl"))) == 1
    assert read_rows(place, Row) == rows


@pytest.mark.slow
@pytest.mark.long
def test_a_run_in_an_object_store_is_that_on_a_disk_and_goes_on(bucket, tmp_path):
    here, there = tmp_path / "run", f"{bucket}/runs/one"
    innerear("run", *FEW, "--out", here)
    innerear("run", *FEW, "--out", there)
    place = folder(there)
    scores = [json.loads((run / "scores.json").read_text())["scores"] for run in (here, place)]
    assert scores[0] == scores[1]
    assert scores[0]
    for kind, row in (("completions", Completion), ("measurements", Measurement)):
        assert read_rows(here / kind, row) == read_rows(place / kind, row)
    renders = [read_rows(run / "renders", Render) for run in (here, place)]
    assert {key: row.audio for key, row in renders[0].items()} == {key: row.audio for key, row in renders[1].items()}
    audio = [{path.name: path.read_bytes() for path in (run / "audio").glob("*.flac")} for run in (here, place)]
    assert audio[0] == audio[1]
    assert b"</html>" in (place / "report" / "index.html").read_bytes()
    before = {str(path): path.stat().st_mtime for path in place.glob("*/*") if "report" not in str(path)}
    innerear("run", *FEW, "--out", there)
    assert {str(path): path.stat().st_mtime for path in place.glob("*/*") if "report" not in str(path)} == before


@pytest.mark.slow
def test_a_folder_that_is_no_run_is_one_line(bucket):
    said = innerear("score", f"{bucket}/nowhere", code=2).stderr
    assert "is not a run" in said
    assert said.count("\n") == 1
