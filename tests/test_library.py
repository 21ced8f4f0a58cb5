"""The library: scores as rows, what a notebook shows, and functions with the names of the commands."""

import inspect
import json
import re

import click
import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

import innerear
from innerear import Clip, fad, kad, plugins, realism, wer
from innerear.cli.main import main
from innerear.distance import folders
from innerear.distance.permutation import ALL, permutation_test
from innerear.embed import open_embedder
from innerear.errors import UsageError
from innerear.markup import MOST_ROWS
from innerear.metrics import whisper
from innerear.records import Probe, Score
from innerear.run.progress import show_progress
from innerear.run.rows import Rows, Scores
from innerear.run.run import Run
from innerear.stages import Evaluation
from innerear.suite import edition


def told(*words, code=0):
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == code, result.output
    return result.stdout if code == 0 else result.output


# ---- scores


def test_a_run_has_its_scores_as_rows(recorded_run):
    run = Run(recorded_run)
    scores = run.scores()
    assert Evaluation(run, None).scores == scores
    assert scores == json.loads((recorded_run / "scores.json").read_bytes())["scores"] or len(scores) > 20
    (checks,) = scores.of("checks", model="recorded/one-shot", tier="notes", group="all")
    assert checks.value == 1.0
    assert {score.embedder for score in scores.of("kad")} == {"mel"}
    with pytest.raises(UsageError, match="scores have no field 'colour'; they have metric, model"):
        scores.of(colour="red")


def test_rows_become_a_data_frame(recorded_run):
    pandas = pytest.importorskip("pandas")
    frame = Run(recorded_run).scores().to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame.columns) == [*Score.__struct_fields__, "language"]
    means = frame[frame.metric == "audible"].set_index("model").value
    assert means["recorded/one-shot"] == 1.0
    assert means["baseline/silence"] == 0.0
    assert len(Scores().to_pandas()) == 0


def test_without_pandas_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(UsageError, match=r"a DataFrame needs pandas: pip install 'innerear\[pandas\]'"):
        Scores().to_pandas()


def test_a_run_without_scores_says_how_to_make_them(recorded_run, tmp_path):
    for name in ("run.json", "probes.jsonl"):
        (tmp_path / name).write_bytes((recorded_run / name).read_bytes())
    with pytest.raises(UsageError, match="has no scores yet: `innerear score"):
        Run(tmp_path).scores()
    assert "none yet" in Run(tmp_path)._repr_html_()
    (tmp_path / "scores.json").write_text("{")
    with pytest.raises(UsageError, match="is damaged"):
        Run(tmp_path).scores()


# ---- what a notebook shows


HOSTILE = '<script>alert("x")</script>'


def test_a_notebook_shows_runs_scores_probes_and_distances(recorded_run):
    run = Run(recorded_run)
    html = run._repr_html_()
    assert "recorded/one-shot" in html
    assert "<td>audible</td>" in html
    probe = run.probes[0]._repr_html_()
    assert "pitch" in probe
    assert run.probes[0].caption in probe
    rng = np.random.default_rng(0)
    assert "95 % interval" in kad(rng.normal(size=(30, 4)), rng.normal(size=(30, 4)))._repr_html_()


def test_no_text_becomes_markup():
    probe = Probe(HOSTILE, "notes", HOSTILE, 1, HOSTILE, HOSTILE, 1.0, [])
    score = Score(HOSTILE, HOSTILE, HOSTILE, "notes", None, 0, 0, HOSTILE, note=HOSTILE)
    for shown in (probe._repr_html_(), Scores([score])._repr_html_(), Rows([score])._repr_html_()):
        assert "<script" not in shown
        assert "&lt;script&gt;" in shown


def test_long_tables_are_cut_and_counted():
    html = Scores([Score("m", "x", "direct", "notes", 0.5, 1, 0, "m")] * (MOST_ROWS + 5))._repr_html_()
    assert html.count("<tr>") == MOST_ROWS + 2
    assert "and 5 more rows" in html


@pytest.mark.parametrize(
    ("channels", "rate", "seconds"), [(1, 44_100, 1), (2, 16_000, 2), (6, 96_000, 1), (1, 8_000, 90)]
)
def test_a_clip_is_a_player_of_bounded_size(channels, rate, seconds):
    import base64
    import io

    rng = np.random.default_rng(0)
    clip = Clip(rng.normal(0, 2, (channels, rate * seconds)).astype(np.float32), rate)
    html = clip._repr_html_()
    (data,) = re.findall(r'src="data:audio/flac;base64,([^"]+)"', html)
    played, played_rate = soundfile.read(io.BytesIO(base64.b64decode(data)), always_2d=True)
    assert len(played) / played_rate == pytest.approx(min(seconds, 30), abs=0.01)
    assert played.shape[1] == min(channels, 2 if channels <= 2 else 1)
    assert np.abs(played).max() <= 1
    assert ("the first 30 s" in html) == (seconds > 30)


def test_a_clip_of_nothing_is_no_player():
    assert "nothing to play" in Clip(np.zeros((1, 0), np.float32), 16_000)._repr_html_()


def test_progress_outside_notebooks_is_a_line_per_tenth(capsys):
    progress = show_progress()
    for done in range(101):
        progress("sounds", done, 100)
    assert len(capsys.readouterr().err.splitlines()) == 11


# ---- functions and commands


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    base = tmp_path_factory.mktemp("sounds")
    rng = np.random.default_rng(7)
    for name, tilt in (("real", 0.0), ("made", 0.5)):
        for group in ("bark", "rain"):
            (base / name / group).mkdir(parents=True)
            for i in range(6):
                noise = np.cumsum(rng.standard_normal(16_000)) * tilt * 0.01 + rng.standard_normal(16_000)
                soundfile.write(base / name / group / f"{i}.wav", 0.1 * noise / np.abs(noise).max(), 16_000, "FLOAT")
    return base / "real", base / "made"


def clips(folder):
    return [innerear.read(path) for path in sorted(folder.rglob("*.wav"))]


@pytest.mark.parametrize("function", [fad, kad])
def test_folders_clips_and_their_embeddings_have_one_distance(sets, function):
    by_folder = function(*sets, "mel")
    by_clips = function(*map(clips, sets), "mel")
    frames = [open_embedder("mel").embed(clips(one)) for one in sets]
    by_arrays = function(*frames)
    assert by_folder.value == pytest.approx(by_clips.value, rel=1e-9)
    assert by_folder.value == pytest.approx(by_arrays.value, rel=1e-9)
    assert by_folder.embedder == by_clips.embedder
    assert by_arrays.embedder == "given|dims:128"
    assert float(by_arrays) == by_arrays.value
    assert function(sets[0], clips(sets[1]), open_embedder("mel")).value == pytest.approx(by_folder.value, rel=1e-9)


def test_arrays_are_the_frames_of_the_functions_below():
    from innerear.distance.frechet import frechet_distance
    from innerear.distance.kernel import kad as kernel_kad

    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(300, 8)), rng.normal(0.2, size=(200, 8))
    assert fad(one, other).value == frechet_distance(one, other)
    assert kad(one, other).value == kernel_kad(one, other)
    assert round(kad(one, other), 3) == round(kernel_kad(one, other), 3)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([np.zeros(5), np.zeros(5)], "shape"),
        ([], "no clips"),
        (np.full((4, 3), np.nan), "NaN"),
    ],
)
def test_what_is_no_set_is_refused(given, says):
    with pytest.raises(UsageError, match=says):
        fad(given, np.zeros((4, 3)))


def test_sets_of_different_embedders_are_refused(sets):
    with pytest.raises(UsageError, match=r"array was embedded by given\|dims:8, real by mel"):
        kad(np.zeros((4, 8)), sets[0], "mel")


def test_realism_takes_clips_and_arrays_too(sets):
    by_clips = realism(*map(clips, sets), "mel")
    assert 0 <= by_clips.told.auc <= 1
    frames = [np.array([each.mean(axis=0) for each in open_embedder("mel").embed(clips(one))]) for one in sets]
    by_arrays = realism(*frames)
    assert by_arrays.told.auc == pytest.approx(by_clips.told.auc, abs=1e-6)
    assert by_arrays.given_away == []
    assert "a set of embeddings has no sound" in by_arrays.notes[-1]


SAME = {"fad": {"each_clip": "per_clip"}, "kad": {}, "realism": {}, "diversity": {}, "wer": {}}


@pytest.mark.parametrize("name", SAME)
def test_commands_have_the_names_and_arguments_of_the_functions(name):
    command: click.Command = main.commands[name]
    ours = set(inspect.signature(getattr(innerear, name)).parameters) - {"progress"}
    theirs = {parameter.name for parameter in command.params} - {"as_json"}
    assert {SAME[name].get(one, one) for one in ours} == theirs


def test_commands_print_what_the_functions_give(sets):
    found = json.loads(told("kad", *sets, "--embedder", "mel", "--permutations", 99, "--seed", 3, "--json"))
    ours = kad(*sets, "mel", permutations=99, seed=3)
    assert (found["value"], found["p_value"], found["low"]) == (ours.value, ours.p_value, ours.low)
    found = json.loads(told("realism", *sets, "--embedder", "mel", "--json"))
    assert found["told"]["auc"] == realism(*sets, "mel").told.auc
    found = json.loads(told("diversity", sets[1], "--reference", sets[0], "--embedder", "mel", "--json"))
    assert found["vendi"] == innerear.diversity(sets[1], sets[0], "mel").vendi


def test_several_embedders_give_a_distance_by_each(sets):
    plugins.forget()
    output = told("fad", *sets, "--embedder", "mel", "--embedder", "telltales", "--embedder", "mel")
    assert re.findall(r"by  (\w+)\|", output) == ["mel", "telltales"]
    found = json.loads(told("kad", *sets, "--embedder", "mel", "--embedder", "telltales", "--json"))
    assert [one["value"] for one in found] == [kad(*sets, name).value for name in ("mel", "telltales")]
    output = told("fad", *sets, "--embedder", "mel", "--embedder", "yamnet", "--per-clip", "x.csv", code=2)
    assert output == "innerear: --per-clip writes the distances by one embedder, and 2 are named\n"


# ---- cache


class Counting:
    """An embedder that counts what it embeds."""

    name, dims, sample_rate, quantum, signature = "counting", 2, 16_000, None, "counting|v:1"

    def __init__(self):
        self.count = 0

    def embed(self, clips):
        self.count += len(clips)
        return [np.array([[clip.mono.std(), np.abs(clip.mono).max()]], np.float32) for clip in clips]


def test_files_are_embedded_once_and_again_if_they_or_the_embedder_change(sets, tmp_path):
    import shutil

    folder = shutil.copytree(sets[0], tmp_path / "sounds")
    embedder = Counting()
    first = folders.embed(folder, embedder)
    assert embedder.count == 12
    again = folders.embed(folder, embedder)
    assert embedder.count == 12
    assert (again.digest, again.names, again.seconds) == (first.digest, first.names, first.seconds)
    folders.embed(folder, embedder, cache=False)
    assert embedder.count == 24
    soundfile.write(folder / "bark" / "0.wav", np.zeros(100), 16_000)
    assert folders.embed(folder, embedder).digest != first.digest
    assert embedder.count == 36
    embedder.signature = "counting|v:2"
    folders.embed(folder, embedder)
    assert embedder.count == 48
    for path in (tmp_path.parent / "x", *(folders.cache_folder() / folders.CACHE).glob("*.npz")):
        if path.exists():
            path.write_bytes(b"damaged")
    folders.embed(folder, embedder)
    assert embedder.count == 60


def test_a_file_that_was_skipped_is_not_forgotten_by_the_cache(sets, tmp_path):
    import shutil

    folder = shutil.copytree(sets[0], tmp_path / "sounds")
    (folder / "bad.wav").write_bytes(b"no sound")
    assert folders.embed(folder, Counting(), skip_bad=True).skipped == ["bad.wav"]
    assert folders.embed(folder, Counting(), skip_bad=True).skipped == ["bad.wav"]
    with pytest.raises(UsageError, match="cannot be read as audio"):
        folders.embed(folder, Counting())


# ---- p-values


def some(n, seed, shift=0.0):
    rng = np.random.default_rng(seed)
    return [rng.normal(shift, 1, (3, 4)) + rng.normal(0, 1, (1, 4)) for _ in range(n)]


def test_few_clips_are_permuted_in_all_ways_so_no_seed_matters():
    one, other = some(7, 1), some(6, 2, 0.5)
    found = [permutation_test(one, other, seed, 99) for seed in range(5)]
    assert len(set(found)) == 1
    assert found[0].exact
    assert found[0].n == 1716 <= ALL
    assert found[0].low == found[0].p == found[0].high


def test_the_verdict_at_five_percent_does_not_depend_on_the_seed():
    """p of these sets is 0.041; of 199 permutations alone it has a standard error of 0.014."""
    one, other = some(14, 3), some(14, 4, 0.64)
    sided, naive = [], []
    for seed in range(12):
        found = permutation_test(one, other, seed, 199)
        assert found.low <= found.p <= found.high + 1e-3
        sided.append(found.p < 0.05)
        naive.append(found.n)
    assert len(set(sided)) == 1
    assert max(naive) > 199


def test_a_clear_difference_needs_few_permutations():
    found = permutation_test(some(20, 1), some(20, 2, 3.0), 0, 99)
    assert (found.n, found.p, found.exact) == (198, 1 / 199, False)


# ---- words


def test_sounds_without_texts_are_named(sets):
    with pytest.raises(UsageError, match=r"bark/0\.wav has no text, and 11 more; wanted a column `text`"):
        wer(sets[0])
    with pytest.raises(UsageError, match="2 texts for 12 sounds"):
        wer(sets[0], ["one", "two"])
    with pytest.raises(UsageError, match="no recogniser 'whisper'"):
        wer(sets[0], "yes", "whisper")
    with pytest.raises(UsageError, match="words can only be heard in sounds"):
        wer(np.zeros((3, 2)), "yes")


def test_sounds_without_a_voice_have_no_words(pack, sets, monkeypatch, tmp_path):
    whisper_made = pytest.importorskip("whisper_made")
    whisper._open.cache_clear()
    whisper_made.save_whisper()  # any network will do: without a voice it is not asked
    (tmp_path / "MANIFEST.csv").write_text("file,text\n0.wav,one two\n1.wav,three\n2.wav,four five six\n")
    for number in range(3):
        soundfile.write(tmp_path / f"{number}.wav", np.zeros(16_000), 16_000)
    found = wer(tmp_path)
    assert (found.value, found.low, found.high, found.words) == (1.0, 1.0, 1.0, 6)
    assert [one.voice for one in found.each] == [False] * 3
    assert found.signature.startswith("wer|whisper-tiny.en@")
    assert "WER 1.000  95 % interval 1.000 to 1.000 of 6 words in 3 sounds" in told("wer", tmp_path)
    assert "3 of 3: 2.wav: heard no voice for 'four five six'" in told("wer", tmp_path)
    assert "<table>" in found._repr_html_()
    whisper._open.cache_clear()


@pytest.fixture
def speech(shared, monkeypatch):
    """Recordings, and the published weights in the folder that INNEREAR_WHISPER names."""
    import os

    if not os.environ.get("INNEREAR_WHISPER"):
        pytest.skip("INNEREAR_WHISPER names no folder with whisper-tiny.en and silero_vad.onnx")
    monkeypatch.setenv("INNEREAR_MODELS", os.environ["INNEREAR_WHISPER"])
    whisper._open.cache_clear()
    yield shared / "data" / "speech"
    whisper._open.cache_clear()


@pytest.mark.slow
def test_words_of_recordings_are_heard(speech, tmp_path):
    """Read speech of LibriVox volunteers and CMU ARCTIC: few words are lost, and a wrong text is all errors."""
    from innerear.reference.manifest import read_manifest

    rows = [row for row in read_manifest(speech.parent / "MANIFEST.csv") if row["label"] == "sentence" and row["text"]][
        :4
    ]
    sounds = [innerear.read(speech.parent / row["file"]) for row in rows]
    found = wer(sounds, [row["text"] for row in rows])
    assert found.value < 0.2
    assert found.low <= found.value <= found.high
    assert wer(sounds[0], "zebra umbrella").value == 1.0
    for number, (clip, row) in enumerate(zip(sounds, rows, strict=True)):
        soundfile.write(tmp_path / f"{number}.wav", clip.samples.T, clip.sample_rate)
        (tmp_path / f"{number}.txt").write_text(row["text"])
    said = told("wer", tmp_path)
    assert f"WER {found.value:.3f}" in said
    assert f"of {found.words} words in 4 sounds" in said


def test_the_names_of_the_library_can_be_had():
    for name in innerear.__all__:
        assert getattr(innerear, name) is not None
    assert edition("1").probes[0]._repr_html_()
