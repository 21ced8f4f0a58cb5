"""What a metric lacks is asked for once, and is no reason to do finished work again."""

import dataclasses
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from aisfx_made import save_aisfx
from innerear import RunConfig, choose, create, evaluate, load, open_model, stages
from innerear.embed import downloads, weights
from innerear.errors import WeightsUnavailable
from innerear.metrics import identity, silero
from innerear.records import Status
from innerear.run.run import Run, save
from innerear.stages import choose_embedders


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[str]]:
    """What a server that has no weights was asked for; it is the only home of all of them."""
    paths: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    for opened in (identity.network, silero._network):
        opened.cache_clear()  # another test of this process may have opened them
    monkeypatch.delenv("INNEREAR_MODELS", raising=False)
    monkeypatch.setenv("INNEREAR_CACHE", str(tmp_path / "cache"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        table = {
            model: [
                file if file.exported_from else dataclasses.replace(file, homes=(f"{url}/{file.file}",))
                for file in files
            ]
            for model, files in weights.sources().items()
        }
        monkeypatch.setattr(weights, "sources", lambda: table)
        yield paths
        server.shutdown()
    for opened in (identity.network, silero._network):
        opened.cache_clear()


@pytest.fixture
def run(asked: list[str], tmp_path: Path) -> Run:
    """Four sounds, most of whose checks need networks, measured where none can be had."""
    suite = load("1")
    probes = [
        probe
        for pattern in ("environment/animals/*", "speech/word/*")
        for probe in choose(suite.probes, pattern=pattern)
    ]
    probes = [*probes[:2], *probes[-2:]]
    names = ["baseline/noise"]
    wanted = RunConfig(models=names, suite=suite.name, suite_digest=suite.digest, embedders=["mel"])
    run = create(tmp_path / "run", wanted, probes, command="innerear run")
    return evaluate(run, [open_model(name) for name in names])[0]


def test_a_download_that_failed_is_not_tried_again_by_the_same_process(run: Run, asked: list[str]) -> None:
    assert asked
    assert len(asked) == len(set(asked))


def test_finished_work_is_not_measured_again_for_what_is_still_lacking(run: Run, asked: list[str]) -> None:
    before = run.measurements()
    assert any(row.status is Status.UNAVAILABLE for row in before.values())
    asked.clear()
    downloads.failed.clear()  # as in a process of its own
    done = []
    stages.measure(Run(run.folder), lambda what, count, total: done.append((what, count, total)))
    assert asked == []
    assert {count == total for _, count, total in done[:1]} == {True}
    assert run.measurements().keys() == before.keys()


def test_what_was_lacking_is_measured_once_its_weights_appear(
    run: Run, pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ai_edge_litert", reason="the extra `yamnet` is not installed")
    before = run.measurements()
    assert any(row.metric == "label" and row.status is Status.UNAVAILABLE for row in before.values())
    monkeypatch.setenv("INNEREAR_MODELS", str(pack / "models"))
    stages.measure(Run(run.folder))
    new = [row for key, row in run.measurements().items() if key not in before]
    assert "label" in {row.metric for row in new}
    assert not any(row.status is Status.UNAVAILABLE for row in new)


def test_asking_again_by_name_tries_again(asked: list[str]) -> None:
    for _ in range(2):
        with pytest.raises(WeightsUnavailable, match="HTTP 404"):
            weights.fetch("yamnet")
    assert len(asked) == 1
    (source,) = weights.find("yamnet")
    (found,) = downloads.pull([source])
    assert isinstance(found, WeightsUnavailable)
    assert len(asked) == 2


def test_without_yamnet_distances_are_by_aisfx_before_mel(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxruntime", reason="the extra `speech` is not installed")
    unsettled = msgspec.structs.replace(run.file.asked, embedders=[])
    save(run.folder, msgspec.structs.replace(run.file, asked=unsettled, signatures={}))
    before, report = choose_embedders(Run(run.folder))
    assert list(before.file.signatures) == ["mel"]
    assert [line.partition(":")[0] for line in report.warnings] == [
        "no yamnet and no aisfx, so distances are by mel, which is not a perceptual measure"
    ]
    save(run.folder, msgspec.structs.replace(run.file, asked=unsettled, signatures={}))
    checkpoint = weights.home("aisfx/checkpoint.pth")
    save_aisfx(checkpoint)
    weights.record(checkpoint, "random, for tests")
    after, report = choose_embedders(Run(run.folder))
    assert list(after.file.signatures) == ["aisfx", "aisfx-levelled", "telltales"]
    assert [line.partition(":")[0] for line in report.warnings] == ["no yamnet, so distances are by aisfx"]
