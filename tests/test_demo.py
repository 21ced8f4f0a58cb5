"""The demo's numbers, on the recorded completions and the real recordings: what the docs say is what comes out."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from innerear.cli.table import headline
from innerear.clip import read
from innerear.distance.frechet import frechet_distance
from innerear.distance.moments import Gaussian
from innerear.embed import open_embedder
from innerear.metrics.signal import right_length
from innerear.records import TIERS, Outcome
from innerear.reference.manifest import read_manifest
from innerear.reference.sets import KINDS
from innerear.render.render import load
from innerear.run.parts import from_json
from innerear.run.run import Run
from innerear.scores.stage import ScoreFile

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo")]
MODELS = ["recorded/one-shot", "baseline/silence", "baseline/noise", "baseline/sine"]
DOCS = Path(__file__).parent.parent / "docs" / "numbers.md"


@pytest.fixture(scope="module")
def demo(tmp_path_factory, pack) -> Path:
    """The models of the demo on edition 1, which the numbers are documented for."""
    return played(tmp_path_factory, pack, "1", MODELS, ["yamnet", "mel"])


@pytest.fixture(scope="module")
def core(tmp_path_factory, pack) -> Path:
    """The first model of the demo on its suite."""
    return played(tmp_path_factory, pack, "2/core", MODELS[:1], ["yamnet"])


def played(tmp_path_factory, pack, suite, models, embedders) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "run"
    named = [word for model in models for word in ("--model", model)]
    named += [word for name in embedders for word in ("--embedder", name)]
    command = [sys.executable, "-m", "innerear", "run", "--suite", suite, *named, "--out", str(folder)]
    cache = str(tmp_path_factory.mktemp("cache"))  # what else is on this machine must not move a number
    environment = {**os.environ, "INNEREAR_MODELS": str(pack / "models"), "INNEREAR_CACHE": cache}
    subprocess.run(command, check=True, env=environment, timeout=1500)
    return folder


def test_171_of_172_programs_give_a_sound_of_the_right_length_and_one_crashes(demo):
    items = [item for item in Run(demo).items() if item.completion.model == "recorded/one-shot"]
    sounds = [item for item in items if item.render.outcome == Outcome.OK]
    assert (len(items), len(sounds)) == (172, 171)
    assert all(right_length(item.render.duration_s, item.probe.duration_s) for item in sounds)
    (crash,) = [item for item in items if item.render.outcome != Outcome.OK]
    assert (crash.probe.id, crash.render.outcome) == ("speech/word/stop", Outcome.ERROR)
    assert "IndexError" in crash.render.log


def test_the_docs_show_the_table_that_the_demo_prints(core):
    scores = from_json((core / "scores.json").read_bytes(), ScoreFile).scores
    assert list(map(without_checks, shown_by_docs())) == list(map(without_checks, printed(scores)))


def without_checks(row):
    """A row without its rate of checks: in the docs by aiSFX and Whisper too, which the pack has not."""
    if row[0] not in TIERS:
        return row
    against = next(place for place in range(3, len(row)) if row[place] in {kind.name for kind in KINDS})
    return row[:3] + row[against:]


def printed(scores):
    """The rows of `recorded/one-shot` in the table that a run ends with, in the docs' columns."""
    model = ""
    for name, tier, _, audible, length, checks, against, fad, kad in headline(scores):
        model = name or model
        if model == "recorded/one-shot":
            yield " ".join([tier, audible, length, checks, against, fad, kad]).split()


def shown_by_docs():
    """The same rows in the docs, as its commands would print them on a machine that has YAMNet alone."""
    text = DOCS.read_text(encoding="utf-8")
    table = text[text.index("| model | tier | audible |") :].partition("\n\n")[0].splitlines()[2:]
    table = [row.replace(", yamnet |", " |") for row in table if ", yamnet |" in row]
    plain = [row.replace("|", " ").replace(" %", "%").replace("(", " ").replace(")", " ") for row in table]
    return [row.replace("−", "-").replace("recorded/one-shot", "").split() for row in plain]


def test_no_outcome_is_near_a_limit(demo):
    assert not [item.probe.id for item in Run(demo).items() if item.render.near_limit]


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_the_documented_distances_are_what_is_measured(demo, kind):
    scores = json.loads((demo / "scores.json").read_text())["scores"]
    measured = {
        score["metric"]: score["value"]
        for score in scores
        if score["model"] == "recorded/one-shot" and score.get("group") == kind and "emb:yamnet" in score["signature"]
    }
    row = next(line for line in DOCS.read_text().splitlines() if line.startswith(f"| {kind} |")).replace("−", "-")
    cells = [cell.strip() for cell in row.split("|")]
    fad, kad = (float(re.match(r"-?[\d.]+", cells[place])[0]) for place in (3, 7))
    assert measured["fad"] == pytest.approx(fad, rel=0.03, abs=0.1)
    assert measured["kad"] == pytest.approx(kad, rel=0.03, abs=0.3)


@pytest.mark.parametrize(
    ("tier", "sets", "recorded", "noise"),
    [
        ("notes", ("real:",), 9.0, 60),
        ("environment", ("ESC-50",), 10.8, 70),
        ("speech", ("LibriSpeech", "LJSpeech", "CMU ARCTIC"), 12.0, 56),
    ],
)
def test_the_rough_recipe_agrees_within_a_few_per_cent(demo, pack, tier, sets, recorded, noise):
    embedder = open_embedder("yamnet", loudness="whole")
    rows = [row for row in read_manifest(pack / "MANIFEST.csv") if row["set"].startswith(sets)]
    reference = Gaussian.of(np.concatenate(embedder.embed([read(pack / row["file"]) for row in rows])))
    run = Run(demo)
    for model, expected in (("recorded/one-shot", recorded), ("baseline/noise", noise)):
        sounds = [
            load(item.render, run.audio)
            for item in run.items()
            if item.completion.model == model and item.probe.tier == tier and item.render.audio
        ]
        distance = frechet_distance(reference, np.concatenate(embedder.embed(sounds)))
        assert distance == pytest.approx(expected, rel=0.04)


def test_silence_noise_and_a_sine_are_far_and_real_recordings_near(demo):
    scores = json.loads((demo / "scores.json").read_text())["scores"]
    for score in scores:
        if score["metric"] == "kad" and score["model"].startswith("baseline/"):
            assert score["value"] > 5 * max(1, score["ceiling"]["real"]), (score["model"], score["group"])
