"""Folders of audio held against each other, by `mel`, which needs no weights; and what goes wrong in them."""

import inspect
import json
import zipfile

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from innerear.cli.distances import fad as fad_command
from innerear.cli.distances import kad as kad_command
from innerear.cli.main import main
from innerear.compute.threads import ordered
from innerear.distance import folders
from innerear.distance.frechet import frechet_distance
from innerear.distance.kernel import kad as kernel_distance
from innerear.distance.moments import Moments
from innerear.errors import AudioError, UsageError


def sound(seed, seconds=2.0, sample_rate=16_000, channels=1, tilt=0.0):
    """Noise whose spectrum and level wander, so that frames differ."""
    rng = np.random.default_rng(seed)
    n = round(seconds * sample_rate)
    spectrum = np.fft.rfft(rng.standard_normal((channels, n)), axis=1)
    hz = np.fft.rfftfreq(n, 1 / sample_rate)
    shaped = np.fft.irfft(spectrum * (1 + hz / 500) ** (tilt - rng.uniform(0, 1)), n, axis=1)
    wander = 1 + 0.5 * np.sin(2 * np.pi * rng.uniform(0.2, 2) * np.arange(n) / sample_rate)
    return (0.3 * shaped / np.abs(shaped).max() * wander).T.astype(np.float32)


def folder_of(path, n, seed=0, **more):
    path.mkdir()
    for i in range(n):
        soundfile.write(path / f"{i:04}.wav", sound(seed + i, **more), more.get("sample_rate", 16_000), "FLOAT")
    return path


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    base = tmp_path_factory.mktemp("sets")
    return folder_of(base / "real", 24), folder_of(base / "made", 21, seed=100, tilt=-0.6)


def test_a_folders_distances_are_those_of_its_frames(sets):
    held, made = (folders.embed(path, "mel") for path in sets)
    found = folders.fad(*sets, "mel")
    assert found.value == frechet_distance(held.frames, made.frames)
    assert found.low < found.value < found.high
    assert folders.kad(*sets, "mel").value == kernel_distance(held.clips, made.clips)


def test_a_value_states_what_it_is_of(sets):
    found = folders.fad(*sets, "mel")
    assert (found.of.clips, found.of.frames, found.of.dims, found.of.rank) == (21, 63, 128, 62)
    assert (found.reference.clips, found.reference.seconds) == (24, 48.0)
    assert "sr:16000" in found.embedder
    assert "loud:active-20dBFS" in found.embedder
    assert found.embedder in found.signature
    assert found.reference.digest in found.signature


def test_a_value_of_too_few_says_so_itself(sets, tmp_path):
    assert any("63 frames for 128 dims" in note for note in folders.fad(*sets, "mel").notes)
    assert any("4 x 128" in note for note in folders.fad(*sets, "mel", infinite=True).notes)
    assert folders.kad(*sets, "mel").notes == []
    few = folder_of(tmp_path / "few", 3)
    assert any("3 clips" in note for note in folders.kad(sets[0], few, "mel").notes)


def test_an_npz_stands_for_its_folder(sets, tmp_path):
    folders.embed(sets[0], "mel").save(tmp_path / "real.npz")
    by_file, by_folder = folders.kad(tmp_path / "real.npz", sets[1], "mel"), folders.kad(*sets, "mel")
    assert by_file.value == by_folder.value
    assert by_file.reference.digest == by_folder.reference.digest
    assert by_file.reference.seconds == 48.0


def test_a_shipped_reference_goes_by_its_name(sets):
    found = folders.fad("environment", sets[1], "mel")
    assert found.reference.name == "environment"
    assert found.reference.clips >= 200


def test_each_clip_has_its_own_distance(sets):
    found = folders.fad(*sets, "mel", each_clip=True).each_clip
    assert list(found) == [f"{i:04}.wav" for i in range(21)]
    clip = folders.embed(sets[1], "mel").clips[3]
    assert found["0003.wav"] == frechet_distance(folders.embed(sets[0], "mel").frames, clip)


def test_shards_add_up_to_the_folder(sets):
    found = folders.embed(sets[1], "mel")
    shards = [Moments.of(np.concatenate(found.clips[i : i + 7])) for i in (0, 7, 14)]
    real = folders.embed(sets[0], "mel").frames
    total = shards[0] + shards[1] + shards[2]
    assert frechet_distance(real, total) == pytest.approx(frechet_distance(real, found.frames), rel=1e-10)


def test_a_set_of_its_own_source_has_a_large_p_value_and_another_a_small_one(sets, tmp_path):
    same = folder_of(tmp_path / "same", 20, seed=500)
    assert folders.kad(sets[0], same, "mel", permutations=99).p_value > 0.05
    assert folders.kad(*sets, "mel", permutations=99).p_value <= 0.01


def test_others_conventions_are_named_and_hear_sounds_at_their_level(sets):
    found = folders.fad(*sets, "mel", like_fadtk=True)
    assert found.conventions == "as-fadtk-1.1.0"
    assert "loud:none" in found.embedder
    assert folders.kad(*sets, "mel", like_kadtk=True).conventions == "as-kadtk-1.1.0"
    with pytest.raises(UsageError, match="not available with fadtk"):
        folders.fad(*sets, "mel", like_fadtk=True, each_clip=True)


def test_a_corrupt_file_among_a_thousand_is_named_and_left_out_only_when_asked(tmp_path, sets):
    many = tmp_path / "many"
    many.mkdir()
    for i in range(1000):
        soundfile.write(many / f"{i:04}.wav", sound(i % 7, 0.02), 16_000)
    (many / "0412.wav").write_bytes(b"RIFF, and then nothing that is audio")
    with pytest.raises(AudioError, match=r"0412\.wav cannot be read.*--skip-bad") as caught:
        folders.embed(many, "mel")
    assert "\n" not in str(caught.value)
    found = folders.embed(many, "mel", skip_bad=True)
    assert (len(found.clips), found.skipped) == (999, ["0412.wav"])
    stated = folders.kad(many, sets[0], "mel", skip_bad=True)
    assert "1 files of the reference could not be read and were skipped" in stated.notes


@pytest.mark.parametrize(
    ("samples", "sample_rate"),
    [
        (sound(0, channels=8), 16_000),
        (sound(0, sample_rate=8_000), 8_000),
        (sound(0, sample_rate=96_000), 96_000),
        (sound(0, seconds=0.01), 16_000),
        (np.zeros((16_000, 1), np.float32), 16_000),
        (np.zeros((1, 1), np.float32), 16_000),
    ],
    ids=["8 channels", "8 kHz", "96 kHz", "10 ms", "silence", "one sample"],
)
def test_odd_sounds_have_a_value(sets, tmp_path, samples, sample_rate):
    folder = folder_of(tmp_path / "odd", 5)
    soundfile.write(folder / "odd.wav", samples, sample_rate, "FLOAT")
    found = folders.fad(sets[0], folder, "mel")
    assert np.isfinite(found.value)
    assert found.of.clips == 6
    assert found.of.silent == (0 if samples.any() else 1)


def test_a_folder_of_silence_says_so(sets, tmp_path):
    folder = tmp_path / "silent"
    folder.mkdir()
    for i in range(4):
        soundfile.write(folder / f"{i}.wav", np.zeros(16_000), 16_000)
    found = folders.kad(sets[0], folder, "mel")
    assert found.value > 10
    assert "the set contains 4 clips of digital silence" in found.notes
    with pytest.raises(UsageError, match="silence"):
        folders.kad(folder, sets[0], "mel")


def test_one_clip_has_a_frechet_distance_and_no_unbiased_one(sets, tmp_path):
    folder = folder_of(tmp_path / "one", 1)
    assert folders.fad(sets[0], folder, "mel").low is None
    with pytest.raises(UsageError, match="1 clip"):
        folders.kad(sets[0], folder, "mel")


def test_what_is_no_set_of_sounds_is_refused_by_name(sets, tmp_path):
    (tmp_path / "notes.txt").write_text("no audio")
    with pytest.raises(UsageError, match="has no audio files"):
        folders.fad(sets[0], tmp_path, "mel")
    with pytest.raises(UsageError, match=r"notes\.txt is not a sound file .*, nor a complete \.npz of embeddings"):
        folders.fad(tmp_path / "notes.txt", sets[0], "mel")
    with zipfile.ZipFile(tmp_path / "other.npz", "w") as other:
        other.writestr("thesis.tex", b"")
    with pytest.raises(UsageError, match="holds no embeddings"):
        folders.fad(tmp_path / "other.npz", sets[0], "mel")
    with pytest.raises(UsageError, match=r"is not a folder, a sound file, an \.npz"):
        folders.fad(tmp_path / "nowhere", sets[0], "mel")
    soundfile.write(tmp_path / "nan.wav", np.full(99, np.nan), 16_000, "FLOAT")
    with pytest.raises(AudioError, match=r"nan\.wav holds NaN"):
        folders.fad(sets[0], tmp_path, "mel")
    with pytest.raises(UsageError, match="none of the 1 audio files"):
        folders.fad(sets[0], tmp_path, "mel", skip_bad=True)


def test_sets_of_different_embedders_are_not_compared(sets, tmp_path):
    folders.embed(sets[0], "mel", loudness="none").save(tmp_path / "raw.npz")
    done = []
    with pytest.raises(UsageError, match=r"loud:none.*use the same"):
        folders.fad(sets[1], tmp_path / "raw.npz", "mel", progress=lambda *given: done.append(given))
    assert done == [], "sounds were embedded in vain"


def test_both_sets_are_looked_for_before_either_is_embedded(sets, tmp_path):
    done = []
    for sounds in (tmp_path / "typo", tmp_path):
        with pytest.raises(UsageError, match=r"is not a folder|has no audio files"):
            folders.kad(sets[0], sounds, "mel", progress=lambda *given: done.append(given))
    assert done == []


def test_a_sound_file_is_a_set_of_one(sets):
    found = folders.fad(sets[0], sets[1] / "0003.wav", "mel")
    assert found.value == folders.fad(*sets, "mel", each_clip=True).each_clip["0003.wav"]
    assert (found.of.name, found.of.clips) == ("0003.wav", 1)


@pytest.mark.parametrize("words", [("fad", "--per-clip", "nowhere/x.csv"), ("embed", "--out", "nowhere/x.npz")])
def test_a_file_that_cannot_be_written_is_named_before_the_work(sets, words):
    command, *option = words
    folders = [str(sets[0])] * (2 if command == "fad" else 1)
    out = CliRunner().invoke(main, [command, *folders, "--embedder", "mel", *option])
    assert out.exit_code == 2
    assert out.stderr.startswith(f"innerear: {option[1]} cannot be written")
    assert "embeddings of" not in out.stderr


def test_a_file_whose_name_is_not_utf_8_is_named_like_any_that_cannot_be_read(sets, tmp_path):
    folder = folder_of(tmp_path / "made", 2)
    (folder / "0001.wav").rename(folder / "caf\udce9.wav")
    words = ["embed", str(folder), "--embedder", "mel", "--out", str(tmp_path / "made.npz")]
    out = CliRunner().invoke(main, words)
    assert out.exit_code == 2
    assert out.stderr_bytes.count(b"\n") == 1
    assert b"caf\xe9.wav cannot be read" in out.stderr_bytes
    out = CliRunner().invoke(main, [*words, "--skip-bad"])
    assert out.exit_code == 0, out.output
    assert folders.embed(tmp_path / "made.npz").skipped == ["caf\\udce9.wav"]


def test_hidden_files_and_the_order_of_names_change_nothing(sets, tmp_path):
    folder = folder_of(tmp_path / "made", 3)
    plain = folders.embed(folder, "mel").digest
    (folder / ".hidden.wav").write_bytes(b"")
    assert folders.embed(folder, "mel").digest == plain


def test_results_come_in_order_and_an_exception_at_its_place():
    def halved(n):
        if n == 50:
            raise ValueError("fifty")
        return n / 2

    results = ordered(halved, range(1000), threads=4)
    assert [next(results) for _ in range(50)] == [n / 2 for n in range(50)]
    with pytest.raises(ValueError, match="fifty"):
        next(results)


@pytest.mark.parametrize(("function", "command"), [(folders.fad, fad_command), (folders.kad, kad_command)])
def test_commands_have_the_arguments_of_their_functions(function, command):
    ours = set(inspect.signature(function).parameters) - {"progress"}
    theirs = {parameter.name for parameter in command.params}
    assert ours - {"each_clip"} == theirs - {"as_json", "per_clip"}


def test_the_commands_print_what_the_functions_give(sets, tmp_path):
    run = CliRunner()
    real, made = map(str, sets)
    out = run.invoke(main, ["fad", real, made, "--embedder", "mel", "--per-clip", str(tmp_path / "each.csv")])
    assert out.exit_code == 0, out.output
    assert f"FAD {folders.fad(*sets, 'mel').value:.6g}" in out.output
    assert len((tmp_path / "each.csv").read_text().splitlines()) == 22
    out = run.invoke(main, ["kad", real, made, "--embedder", "mel", "--json"])
    assert json.loads(out.stdout)["value"] == folders.kad(*sets, "mel").value
    out = run.invoke(main, ["embed", real, "--embedder", "mel", "--out", str(tmp_path / "real.npz")])
    assert out.exit_code == 0, out.output
    assert folders.embed(tmp_path / "real.npz").digest in out.output


def test_a_wrong_set_is_one_line_and_exit_code_2(sets, tmp_path):
    out = CliRunner().invoke(main, ["fad", str(tmp_path), str(sets[0]), "--embedder", "mel"])
    assert out.exit_code == 2
    assert out.stderr.strip().startswith("innerear: ")
    assert "\n" not in out.stderr.strip()
