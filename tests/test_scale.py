"""Work of the stages done elsewhere: the same rows as here, and nothing lost or doubled when parts of a cluster end."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from innerear.compute.work import Job, Local
from innerear.embed.batches import read_embeddings
from innerear.errors import JailFailure, JailUnavailable
from innerear.jail import open_jail
from innerear.records import Limits, Measurement, Program, Render
from innerear.render.render import render_all
from innerear.run.parts import read_rows

ray = pytest.importorskip("ray", reason="the extra [ray] is not installed")

from innerear.compute.ray import Ray  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("ray"), pytest.mark.filterwarnings("ignore")]

STORE = 80 << 20
COMMAND = [sys.executable, "-m", "innerear"]
FEW = ["--model", "baseline/informed", "--model", "baseline/noise", "--suite", "1", "--probes", "notes/waveform/*"]


@pytest.fixture(scope="module")
def cluster():
    """A head without a core, and a node of one."""
    from ray.cluster_utils import Cluster

    before = dict(os.environ)
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)  # nodes import the work below
    for patience in (2, 1, 0):
        try:
            made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "object_store_memory": STORE})
            break
        except Exception:  # Ray gives a node half a minute to start, which a busy machine may not have
            if not patience:
                raise
    made.add_node(num_cpus=1, object_store_memory=STORE)
    ray.init(made.address, log_to_driver=False, logging_level="error")
    yield made
    ray.shutdown()
    made.shutdown()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def another(cluster):
    """A second node, for as long as the test."""
    added = cluster.add_node(num_cpus=1, object_store_memory=STORE)
    yield added
    if added in cluster.worker_nodes:
        cluster.remove_node(added, allow_graceful=False)


@contextmanager
def doubling(folder):
    def double(n):
        time.sleep(0.02)
        with Path(folder, f"{n}").open("a") as file:
            file.write("x")
        return 2 * n, os.getpid()

    yield double


@contextmanager
def breaking():
    def odd(n):
        if n == 3:
            raise JailFailure("three is odd")
        if n == 5:
            raise ZeroDivisionError
        return n

    yield odd


@contextmanager
def refusing():
    raise JailUnavailable("user namespaces", "Turn them on.")
    yield


@contextmanager
def ending():
    def end(n):
        if n == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return n

    yield end


@contextmanager
def only_on(place):
    if ray.get_runtime_context().get_node_id() != place:
        raise JailUnavailable("user namespaces", "Turn them on.")

    def here(n):
        time.sleep(0.1)  # so that no node is done with all before another has begun
        return ray.get_runtime_context().get_node_id()

    yield here


@contextmanager
def slow_on(place):
    def here(n):
        found = ray.get_runtime_context().get_node_id()
        time.sleep(0.3 if found == place else 0)
        return found

    yield here


def test_each_thing_is_done_once(cluster, tmp_path):
    found = {}
    with Ray() as machines:
        lost = machines.map(Job(partial(doubling, tmp_path), sees=tmp_path), range(50), found.__setitem__)
    assert {n: doubled for n, (doubled, _) in found.items()} == {n: 2 * n for n in range(50)}
    assert not lost
    assert {path.read_text() for path in tmp_path.iterdir()} == {"x"}  # and no token is left
    assert all(pid != os.getpid() for _, pid in found.values())


def test_an_error_that_is_forgiven_loses_one_thing_and_another_ends_the_work(cluster):
    for machines in (Local(2), Ray()):
        found = {}
        lost = machines.map(Job(breaking, forgives=(JailFailure,)), [1, 2, 3, 4], found.__setitem__)
        assert found == {1: 1, 2: 2, 4: 4}
        assert [(one.item, one.why) for one in lost] == [(3, "three is odd")]
        with pytest.raises(ZeroDivisionError):
            machines.map(Job(breaking), [5], found.__setitem__)
        machines.close()


def test_where_no_node_can_isolate_nothing_runs_and_the_fix_is_told(cluster):
    with Ray() as machines, pytest.raises(JailUnavailable, match=r"user namespaces\. Turn them on"):
        machines.map(Job(refusing), [1], lambda *row: None)


def test_a_node_that_cannot_isolate_takes_no_programs_and_is_named(cluster, another):
    found = {}
    with Ray() as machines:
        machines.map(Job(partial(only_on, another.node_id)), range(20), found.__setitem__)
        (remark,) = machines.remarks
    assert set(found.values()) == {another.node_id}
    assert "is not used: cannot isolate programs here: user namespaces" in remark


def test_a_node_that_sees_another_folder_takes_no_work(tmp_path):
    from innerear.compute.ray_worker import Facts

    token = tmp_path / "token"
    facts = Facts.of(token)
    assert "cannot read" in facts.unlike_here()
    token.write_bytes(b"of another machine")
    assert "a different folder" in facts.unlike_here()
    token.write_bytes(facts.content)
    assert facts.unlike_here() == ""


def test_a_thing_that_ends_its_workers_is_lost_and_the_others_are_done(cluster):
    found = {}
    with Ray() as machines:
        (lost,) = machines.map(Job(ending), [0, 1, 2, 3], found.__setitem__)
    assert found == {0: 0, 2: 2, 3: 3}
    assert lost.item == 1
    assert "its worker ended 4 times" in lost.why


def test_a_killed_worker_loses_only_what_it_was_at(cluster, another, tmp_path):
    found = {}

    def keep(n, row):
        assert n not in found
        found[n] = row
        if len(found) == 10:
            os.kill(row[1], signal.SIGKILL)

    with Ray() as machines:
        lost = machines.map(Job(partial(doubling, tmp_path)), range(100), keep)
    assert not lost
    assert set(found) == set(range(100))
    redone = sum(len(path.read_text()) - 1 for path in tmp_path.iterdir())
    assert redone <= 12  # one call's items


def test_what_a_lost_node_was_at_is_done_by_others(cluster, another, tmp_path):
    found = {}

    def keep(n, row):
        assert n not in found
        found[n] = row
        if len(found) == 10:
            cluster.remove_node(another, allow_graceful=False)

    with Ray() as machines:
        lost = machines.map(Job(partial(doubling, tmp_path)), range(100), keep)
    assert not lost
    assert set(found) == set(range(100))


def test_a_node_that_comes_takes_part(cluster, tmp_path):
    (first,) = cluster.worker_nodes
    found, new = {}, []

    def keep(n, place):
        found[n] = place
        if not new:
            new.append(cluster.add_node(num_cpus=1, object_store_memory=STORE))

    with Ray() as machines:
        machines.map(Job(partial(slow_on, first.node_id)), range(150), keep)
    cluster.remove_node(new[0], allow_graceful=False)
    assert set(found) == set(range(150))
    assert set(found.values()) == {first.node_id, new[0].node_id}


def test_a_program_sounds_the_same_to_the_bit(cluster, tmp_path):
    code = (
        "import numpy as np, wave\nrng = np.random.default_rng({n})\n"
        "samples = (np.sin(np.arange(8000) * 0.1 * rng.uniform(1, 2)) * 16000).astype('<i2')\n"
        "with wave.open('output.wav', 'wb') as file:\n"
        "    file.setparams((1, 2, 8000, 0, 'NONE', ''))\n    file.writeframes(samples.tobytes())\n"
    )
    programs = [Program(code.format(n=n)) for n in range(4)] + [Program("raise SystemExit(3)"), Program(None, "empty")]
    rows = {}
    for name, machines in (("here", Local()), ("there", Ray())):
        folder = tmp_path / name
        folder.mkdir()
        rows[name] = {}
        failures = render_all(
            programs,
            lambda row, name=name: rows[name].update({row.key: row}),
            folder / "audio",
            Limits(),
            open_jail=partial(open_jail, "auto"),
            machines=machines,
            sees=folder,
        )
        machines.close()
        assert not failures
    sounds = [
        {path.name: path.read_bytes() for path in (tmp_path / name / "audio").iterdir()} for name in ("here", "there")
    ]
    assert sounds[0] == sounds[1]
    assert len(sounds[0]) == 4
    same = [{key: (row.outcome, row.reason, row.audio, row.levels) for key, row in rows[n].items()} for n in rows]
    assert same[0] == same[1]


def innerear(*words, code=0):
    done = subprocess.run([*COMMAND, *map(str, words)], capture_output=True, text=True, timeout=500)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_a_run_whose_driver_is_killed_goes_on_in_the_cluster_and_then_here(cluster, tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    ask = [*FEW, "--embedder", "mel"]
    innerear("run", *ask, "--out", whole)
    innerear("generate", *ask, "--out", parts)
    said = tmp_path / "said"
    with said.open("w") as log:
        driver = subprocess.Popen([*COMMAND, "render", "--on", "ray", str(parts)], stdout=log, stderr=log)
    kept: dict[str, Render] = {}
    while driver.poll() is None and len(kept) < 2:
        time.sleep(0.05)
        kept = read_rows(parts / "renders", Render)
    driver.kill()
    driver.wait()
    kept = read_rows(parts / "renders", Render)
    assert kept, said.read_text()
    innerear("run", *ask, "--on", "ray", "--out", parts)
    rows = [json.loads(line) for path in (parts / "renders").glob("*.jsonl") for line in path.read_text().splitlines()]
    assert len(rows) == len({row["key"] for row in rows}) == len(read_rows(whole / "renders", Render))
    after = read_rows(parts / "renders", Render)
    assert {key: after[key] for key in kept} == kept  # and nothing that was done was done again
    sounds = [{path.name: path.read_bytes() for path in (run / "audio").iterdir()} for run in (whole, parts)]
    assert sounds[0] == sounds[1]
    heard = [read_embeddings(next((run / "embeddings").iterdir())) for run in (whole, parts)]
    assert heard[0].keys() == heard[1].keys()
    for name, frames in heard[0].items():
        np.testing.assert_allclose(heard[1][name], frames, rtol=0, atol=1e-5)
    measured = [read_rows(run / "measurements", Measurement) for run in (whole, parts)]
    assert measured[0] == measured[1]
    scores = [json.loads((run / "scores.json").read_text())["scores"] for run in (whole, parts)]
    assert [score["signature"] for score in scores[0]] == [score["signature"] for score in scores[1]]
    for here, there in zip(*scores, strict=True):
        values = here.get("value"), there.get("value")
        assert values[0] == (values[1] if None in values else pytest.approx(values[1], rel=1e-9, abs=1e-9))
    before = {path: path.read_bytes() for path in parts.rglob("*") if path.is_file() and "report" not in path.parts}
    innerear("run", *ask, "--out", parts)  # and back: nothing is left to do
    assert all(path.read_bytes() == content for path, content in before.items())


def test_the_benchmark_has_a_row_for_each_stage(cluster, tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    run = tmp_path / "run"
    innerear("generate", "--model", "recorded/one-shot", "--suite", "1", "--probes", "notes/waveform/s*", "--out", run)
    innerear("render", run)
    given = ["--things", "4", "--workers", "1", "--embedders", "mel", "--run", run]
    bench = Path(__file__).parent.parent / "bench" / "scale.py"
    done = subprocess.run([sys.executable, bench, *map(str, given)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line for line in done.stdout.splitlines() if line.count("|") == 3 and "%" in line]
    assert [row.split(" 1 ")[0].strip() for row in rows] == ["program", "clip, mel", "clip, measured"]
