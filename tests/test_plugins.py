"""Plug-ins: the files of docs/plugins run for real, by `python:` names and as entry points of a package."""

import json
import re
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

import innerear
from innerear import plugins
from innerear.cli.doctor import _plugins as doctor_plugins
from innerear.cli.main import main
from innerear.errors import UsageError
from innerear.metrics.registry import check_metric, sound_metrics
from innerear.run.run import Run
from innerear.suite import edition

PLUGINS = Path(__file__).parent.parent / "docs" / "plugins"
NAMES = ["hum_model.Hum", "levels_embedder.Levels", "crest_metric.CrestFactor", "brightness_check.Brightness",
         "think_strategy.think_first"]  # fmt: skip
CREST, BRIGHT = "python:crest_metric.CrestFactor", "python:brightness_check.Brightness"


@pytest.fixture(autouse=True)
def _none_before_or_after(monkeypatch):
    monkeypatch.syspath_prepend(str(PLUGINS))
    plugins.forget()
    yield
    plugins.forget()
    for name in [*(one.partition(".")[0] for one in NAMES), "mine"]:
        sys.modules.pop(name, None)


def told(*words, code=0):
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == code, result.output
    return result.output


def suite(path, needs):
    probe = edition("1").probes[0]
    check = {"check": "custom", "by": "brightness", "needs": needs, "says": ["Its centroid is above 100 Hz."]}
    path.write_bytes(msgspec.json.encode(msgspec.to_builtins(probe) | {"expect": [check]}))
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run with a plug-in of every sort."""
    sys.path.insert(0, str(PLUGINS))
    base = tmp_path_factory.mktemp("plugged")
    try:
        told("run", "--suite", suite(base / "mine.jsonl", {"at_least_hz": 100}), "--model", "python:hum_model.Hum/220",
             "--strategy", "python:think_strategy.think_first", "--embedder", "python:levels_embedder.Levels",
             "--plugin", CREST, "--plugin", BRIGHT, "--out", base / "run")  # fmt: skip
    finally:
        sys.path.remove(str(PLUGINS))
    return Run(base / "run")


def test_there_is_one_of_each_sort_and_each_is_short():
    assert len(list(PLUGINS.glob("*.py"))) == len(plugins.GROUPS)
    for path in PLUGINS.glob("*.py"):
        assert len(path.read_text().splitlines()) <= 20


def test_a_run_of_plug_ins_alone_gives_their_numbers(run):
    rows = {row.metric: row for row in run.measurements().values()}
    assert rows["crest_factor"].value == pytest.approx(20 * np.log10(np.sqrt(2)), abs=0.01)
    assert rows["brightness"].value == pytest.approx(220, rel=0.01)
    assert rows["brightness"].passed
    (completion,) = run.completions()
    assert len(completion.rounds) == 2
    assert completion.rounds[0].messages[0].content.startswith("Which physical process")
    score = next(score for score in run.scores() if score.metric == "crest_factor")
    assert score.value == rows["crest_factor"].value
    assert score.signature.startswith("crest_factor|v:1|")


def test_names_and_versions_stand_in_signatures(run):
    assert sound_metrics()[-1].plugin == ""
    plugins.use(CREST, BRIGHT)
    assert str(sound_metrics()[-1].signature()) == f"crest_factor|v:1|plugin:{CREST}@1"
    assert str(check_metric("brightness").signature()) == f"brightness|v:1|plugin:{BRIGHT}@1"
    (signature,) = run.file.signatures.values()
    assert signature.startswith("python:levels_embedder.Levels@1|levels|")
    kads = [score for score in run.scores() if score.metric == "kad"]
    assert {score.embedder for score in kads} == {"python:levels_embedder.Levels"}


def answer(messages):
    return "print()"


def think(probe):
    return (yield from ())


@pytest.mark.parametrize("of", ["model", "strategy"])
def test_another_version_has_other_keys(of, monkeypatch):
    from innerear.ask.generate import Request
    from innerear.ask.models import open_model
    from innerear.ask.strategies import find_strategy

    name = f"python:{__name__}.answer"
    plugins.use("python:think_strategy.think_first")

    def key():
        plugins._load.cache_clear()
        model, strategy = open_model(name), find_strategy("python:think_strategy.think_first")
        return Request(model, edition("1").probes[0], strategy, 0, None).key()

    first = key()
    assert key() == first
    if of == "model":
        monkeypatch.setattr(sys.modules[__name__], "__version__", "2", raising=False)
    else:
        monkeypatch.setattr(sys.modules["think_strategy"], "__version__", "2")
    assert key() != first


def test_a_file_that_states_no_version_is_known_by_its_content(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    versions = []
    for text in ("def answer(messages): return 'a'", "def answer(messages): return 'b'"):
        (tmp_path / "mine.py").write_text(text)
        plugins.forget()
        sys.modules.pop("mine", None)
        plugins.use("python:mine.answer")
        versions.append(plugins.find("models", "python:mine.answer").stamp)
    assert all(re.fullmatch(r"python:mine\.answer@[0-9a-f]{8}", one) for one in versions)
    assert versions[0] != versions[1]


def test_a_check_without_its_plug_in_is_not_measured_and_is_measured_once_it_is_there(run, tmp_path):
    words = ("--suite", suite(tmp_path / "mine.jsonl", {"at_least_hz": 1000}), "--model", "baseline/sine",
             "--embedder", "mel", "--out", tmp_path / "run")  # fmt: skip
    told("run", *words)
    (row,) = (row for row in Run(tmp_path / "run").measurements().values() if row.metric == "brightness")
    assert (row.value, row.passed) == (None, None)
    assert "needs its plug-in: install it, or name it with --plugin" in row.reason
    told("measure", tmp_path / "run", "--plugin", BRIGHT)
    told("score", tmp_path / "run", "--plugin", BRIGHT)
    score = next(score for score in Run(tmp_path / "run").scores() if score.metric == "brightness")
    assert (score.value, score.n) == (0.0, 1)
    assert "1 of 1 not counted: it is not verified" in score.note


def test_the_brief_tells_what_the_suite_says_of_the_check(tmp_path):
    (probe,) = innerear.load(suite(tmp_path / "mine.jsonl", {})).probes
    from innerear.ask.strategies.brief import brief_details

    assert brief_details(probe) == ["Its centroid is above 100 Hz."]


def test_the_code_that_a_run_names_is_not_followed(run):
    """A run folder may come from somebody else: what it names must not be imported."""
    output = told("embed", run.folder, code=2)
    assert "python:levels_embedder.Levels is code that you have not named" in output
    assert output.count("\n") == 1
    assert "levels_embedder" not in sys.modules
    told("score", run.folder)
    assert "think_strategy" not in sys.modules


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--plugin", "crest_metric.CrestFactor"], "wanted python:MODULE.ATTRIBUTE"),
        (["--plugin", "python:nowhere.Metric"], "No module named 'nowhere'"),
        (["--plugin", "python:crest_metric.Crest"], "has no attribute 'Crest'"),
        (["--strategy", "python:crest_metric.CrestFactor"], "is not a generator function"),
        (["--strategy", "python:think_strategy.think_first:2"], "takes no parameter"),
        (["--model", "python:crest_metric.CrestFactor"], "is not a model: it has no ask and no identity"),
    ],
)
def test_misuse_is_one_line(words, says, tmp_path):
    output = told("run", "--model", "baseline/sine", "--out", tmp_path / "x", *words, code=2)
    assert says in output
    assert output.count("\n") == 1


def test_what_is_no_embedder_says_what_an_embedder_is(tmp_path):
    name = "python:crest_metric.CrestFactor"
    plugins.use(name)
    with pytest.raises(UsageError, match=r"is not an embedder: .*; wanted a class with dims, sample_rate, signature"):
        innerear.open_embedder(name)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An installed package that offers all five."""
    (tmp_path / "mine-2.5.dist-info").mkdir()
    groups = zip(("models", "embedders", "metrics", "checks", "strategies"),
                 ("hum", "levels", "crest_factor", "brightness", "think-first"), NAMES, strict=True)  # fmt: skip
    points = "".join(f"[innerear.{group}]\n{name} = {at.replace('.', ':')}\n" for group, name, at in groups)
    (tmp_path / "mine-2.5.dist-info" / "entry_points.txt").write_text(points)
    (tmp_path / "mine-2.5.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 2.5\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    plugins._installed.cache_clear()
    plugins.forget()
    yield tmp_path
    monkeypatch.undo()
    plugins._installed.cache_clear()
    plugins.forget()


def test_an_installed_package_offers_them_by_name_with_its_version(package):
    assert innerear.open_model("hum/220").plugin == "hum@2.5+1"
    assert innerear.open_embedder("levels").signature.startswith("levels@2.5+1|levels|sr:16000")
    assert [metric.name for metric in sound_metrics()][-1] == "crest_factor"
    assert check_metric("brightness").plugin == "brightness@2.5+1"
    assert "think-first" in told("probes", "show", "notes/waveform/sine-440", "--strategy", "plann", code=2)
    found = {one.what: one for one in doctor_plugins()}
    assert found["plugin strategies think-first"].works
    assert found["plugin strategies think-first"].says == "think-first@2.5+1 from mine"


def test_an_installed_plug_in_that_cannot_be_loaded_is_named_with_its_package(package):
    (package / "mine-2.5.dist-info" / "entry_points.txt").write_text("[innerear.metrics]\nbad = mine_is_gone:Bad\n")
    plugins._installed.cache_clear()
    plugins.forget()
    with pytest.raises(UsageError, match="the plug-in 'bad' of the package mine cannot be loaded: No module named"):
        sound_metrics()


def test_rows_of_plug_ins_are_json(run):
    for path in run.folder.glob("measurements/*.jsonl"):
        for line in path.read_text().splitlines():
            json.loads(line)
