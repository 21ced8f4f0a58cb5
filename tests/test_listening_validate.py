"""Which metrics agree with people: listeners who go by a metric, against metrics that are known."""

import json

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from innerear import suite
from innerear.cli.main import main
from innerear.embed.store import save_frames
from innerear.errors import UsageError
from innerear.listening import Wanted, build, read_key, validate
from innerear.listening.files import Answers
from innerear.listening.validate import spearman
from innerear.metrics.base import sound_of
from innerear.metrics.measure import keys
from innerear.records import Measurement, digest
from innerear.reference.sets import find_reference
from innerear.report.validations import read_validations
from innerear.run.parts import Writer
from innerear.run.run import embeddings_folder, update
from innerear.scores.realism import class_of
from listening_made import answered, made_run, sent, short, tone

PROBES = short(
    [
        *[p for p in suite.edition("1").probes if p.family == "instrument"][:12],
        *[p for p in suite.edition("1").probes if p.family == "digit"][:10],
    ]
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Two models; each sound has a loudness and a duration error of its own, by chance."""
    folder = tmp_path_factory.mktemp("validate") / "run"
    run = made_run(folder, {"model/one": tone(0.3, 0.06), "model/two": tone(0.2, 0.06)}, PROBES)
    with Writer(folder / "measurements", Measurement, 9e9) as writer:
        for item in run.items():
            for key, metric, check in keys(item.completion.key, sound_of(item)):
                name = metric.name
                rng = np.random.default_rng(int(digest("made", name, item.probe.id, item.completion.model)[:8], 16))
                value = float(rng.normal(0, 1)) if check is None else None
                passed = bool(rng.random() < 0.5) if check is not None else None
                writer.keep(Measurement(key, item.completion.key, name, value, passed))
    return run


@pytest.fixture(scope="module")
def tests(run):
    few = {"trials": 20, "anchors": 0, "listeners": 10, "headphones": False}
    return {k: build([run], run.folder.parent / k, Wanted(kind=k, **few)) for k in ("identify", "ab", "rate")}


@pytest.fixture(scope="module")
def off(run):
    """How far each sound's duration is off, by completion."""
    found = run.measurements().values()
    return {row.subject: abs(row.value) for row in found if row.metric == "duration_error"}


def followers(key, off, n=10):
    """Listeners who like a sound the better, the nearer its duration is to what was asked."""
    rng = np.random.default_rng(2)

    def answer(trial, what, clips):
        liked = [2.0 - 2 * off.get(clip.completion, 3.0) + rng.normal(0, 0.4) for clip in clips]
        if key.test.kind == "ab":
            return {"choice": int(liked[1] > liked[0])}
        if key.test.kind == "rate":
            value = int(np.clip(round(3 + liked[0]), 1, 5))
            return {"fit": value, "natural": int(rng.integers(1, 6))}
        right = rng.random() < 1 / (1 + np.exp(-2 * liked[0]))
        return {"choice": what.right if right else len(trial.options)}

    return [answered(key, i, answer) for i in range(1, n + 1)]


def held(run, built, off):
    key = read_key(built.key)
    return validate(run, [msgspec.convert(c, Answers) for c in followers(key, off)], [], key)


@pytest.mark.parametrize(("kind", "measure"), [("identify", "identified"), ("ab", "preferred"), ("rate", "fit")])
def test_the_metric_that_people_went_by_is_found_with_its_sign(run, tests, off, kind, measure):
    found = held(run, tests[kind], off)
    best = {one.tier: one for one in found.best if one.measure == measure}
    assert best["all"].metric == "duration_error"
    row = next(
        r for r in found.correlations if (r.metric, r.tier, r.group, r.model) == ("duration_error", "all", measure, "")
    )
    assert row.high < -0.4
    assert row.better == "lower"
    loudness = next(
        r for r in found.correlations if (r.metric, r.tier, r.group, r.model) == ("loudness", "all", measure, "")
    )
    assert loudness.low < 0 < loudness.high


def test_ratings_that_follow_nothing_agree_with_no_metric(run, tests, off):
    found = held(run, tests["rate"], off)
    natural = [one for one in found.best if one.measure == "natural" and one.tier == "all"]
    rows = [
        r
        for r in found.correlations
        if r.group == "natural" and r.tier == "all" and not r.model and r.value is not None
    ]
    assert len(natural) == 1
    assert sum(r.low > 0 or r.high < 0 for r in rows) <= 1


def test_within_each_model_as_well(run, tests, off):
    found = held(run, tests["rate"], off)
    assert {r.model for r in found.correlations} == {"", "model/one", "model/two"}


def test_too_few_sounds_are_said_to_be_too_few(run, off, tmp_path):
    few = Wanted(kind="rate", trials=4, anchors=0, listeners=3, headphones=False, probes=[p.id for p in PROBES[:3]])
    found = held(run, build([run], tmp_path / "few", few), off)
    assert {r.value for r in found.correlations} == {None}
    assert any("too few" in r.note for r in found.correlations)


def test_it_is_kept_in_the_run_and_the_report_shows_it(run, tests, off, tmp_path):
    key = read_key(tests["rate"].key)
    sent(tmp_path, followers(key, off))
    done = CliRunner().invoke(
        main, ["listen-test", "validate", str(run.folder), str(tmp_path), "--key", str(tests["rate"].key)]
    )
    assert done.exit_code == 0, done.output
    assert "duration_error" in done.output
    kept = {one.test: one for one in read_validations(run.folder)}
    assert kept[key.test.test].kind == "rate"
    assert "NaN" not in (run.folder / "listening" / f"{key.test.test}.json").read_text()
    index = (run.folder / "report" / "data" / "index.js").read_text()
    content = json.loads(json.loads("[" + index[index.index("(") + 1 : index.rindex(")")] + "]")[2])
    assert key.test.test in {one["test"] for one in content["listening"]}
    assert '"#/people"' in (run.folder / "report" / "index.html").read_text()


@pytest.fixture(scope="module")
def realistic(tmp_path_factory):
    """Recordings as the sounds of 40 probes, each moved away from what recordings are by an amount of its own."""
    probes = [probe for probe in suite.edition("1").probes if probe.tier == "environment"][:40]
    run = made_run(tmp_path_factory.mktemp("realistic") / "run", {"model/one": tone(0.3, 0.06)}, short(probes))
    reference = find_reference("environment", "yamnet-levelled")
    deviation, frames, moved = np.concatenate(reference.clips).std(axis=0), {}, {}
    with Writer(run.folder / "measurements", Measurement, 9e9) as writer:
        for number, item in enumerate(run.items()):
            like = next(
                i for i, label in enumerate(reference.classes) if label == class_of(item.probe) and reference.held[i]
            )
            moved[item.completion.key] = 4.0 * number / len(probes)
            frames[item.render.audio] = reference.clips[like] + np.float32(moved[item.completion.key]) * deviation
            detail = {"identity": 1 - number / len(probes), "typicality": 0.5}
            label = next(key for key, metric, _ in keys(item.completion.key, sound_of(item)) if metric.name == "label")
            writer.keep(Measurement(label, item.completion.key, "label", 1.0, True, "", detail, 0))
    name, signature = "yamnet-levelled", reference.signature
    run = update(run.folder, lambda file: msgspec.structs.replace(
        file, signatures={name: signature}, asked=msgspec.structs.replace(file.asked, embedders=[name])
    ))  # fmt: skip
    save_frames(embeddings_folder(run, name) / "made.npz", list(frames), list(frames.values()), None)
    return run, moved


def test_listeners_who_hear_what_is_made_agree_with_told_from_real_proximity_and_identity(realistic):
    run, moved = realistic
    wanted = Wanted(kind="rate", trials=40, anchors=0, listeners=8, headphones=False)
    key = read_key(build([run], run.folder.parent / "rate", wanted).key)
    rng = np.random.default_rng(3)

    def answer(trial, what, clips):
        natural = 5 - moved[clips[0].completion] + rng.normal(0, 0.5)
        return {"fit": int(rng.integers(1, 6)), "natural": int(np.clip(round(natural), 1, 5))}

    contents = [answered(key, i, answer) for i in range(1, 9)]
    found = validate(run, [msgspec.convert(content, Answers) for content in contents], [], key)
    rows = {row.metric: row for row in found.correlations if (row.tier, row.group) == ("environment", "natural")}
    told, near = rows["told_from_real (yamnet-levelled)"], rows["proximity (yamnet-levelled)"]
    assert told.better == "lower"
    assert told.high < -0.4
    assert near.low > 0.4
    assert rows["identity"].low > 0.4
    assert rows["typicality"].value is None  # all are equal
    assert "fad of one (yamnet-levelled)" not in rows


def test_another_runs_test_is_refused(run, tests, off, tmp_path):
    other = made_run(tmp_path / "other", {"model/three": tone(0.1, 0.06)}, PROBES)
    key = read_key(tests["rate"].key)
    with pytest.raises(UsageError, match="has no sound of"):
        validate(other, [msgspec.convert(c, Answers) for c in followers(key, off, 1)], [], key)


def test_spearman_is_scipys():
    from scipy.stats import spearmanr

    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 6, 40).astype(float), rng.normal(size=40)
    assert spearman(a, b) == pytest.approx(spearmanr(a, b).statistic)
    assert spearman(np.ones(5), b[:5]) is None
