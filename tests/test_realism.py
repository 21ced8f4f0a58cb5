"""Told from real, typical and varied: what is calibrated, what must not tell, and what is not measurable."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from scipy.optimize import minimize

from innerear.clip import Clip, read
from innerear.distance import logistic
from innerear.distance.diversity import coverage, diversity, vendi
from innerear.distance.labelled import diversity as folder_diversity
from innerear.distance.labelled import of_reference, words_of, words_of_each
from innerear.distance.labelled import realism as folder_realism
from innerear.distance.realism import apart, ceiling, farthest, real_splits, told_from_real
from innerear.distance.sounds import Scale, Sounds
from innerear.distance.typicality import typicality
from innerear.dsp.levelling import LENGTHS, cuts
from innerear.dsp.telltales import WORDS, telltales
from innerear.errors import UsageError
from innerear.reference.sets import find_reference

RATE = 44_100


def sounds(
    side: str, classes: int = 12, each: int = 6, dims: int = 20, shift: float = 0.0, seed: int = 0, name: str = ""
) -> Sounds:
    """Gaussian sounds around the means of their classes; `shift` moves all along one direction."""
    rng = np.random.default_rng([seed, *side.encode()])
    means = 3 * np.random.default_rng(99).standard_normal((classes, dims))
    labels = [f"class{i}" for i in range(classes) for _ in range(each)]
    vectors = np.repeat(means, each, axis=0) + rng.standard_normal((classes * each, dims))
    vectors[:, 0] += shift
    names = [f"{name or side}{i}" for i in range(len(labels))]
    return Sounds(vectors, labels, names, names)


def cut_to(whole: Sounds, filled: list[int], noise: float = 0.3) -> Sounds:
    """Sounds that fill one to three lengths, and look quite different at each, as a repeated start does."""
    rng = np.random.default_rng(7)
    moved = 6 * np.random.default_rng(8).standard_normal((3, 1, whole.vectors.shape[1]))
    heard = np.stack([whole.vectors + noise * rng.standard_normal(whole.vectors.shape) for _ in range(3)]) + moved
    clips = [heard[:k, i] for i, k in enumerate(filled)]
    return Sounds.of(clips, whole.classes, whole.sources, whole.names)


def test_the_classifier_finds_the_optimum_that_a_general_optimiser_finds() -> None:
    rng = np.random.default_rng(0)
    points, labels = rng.standard_normal((80, 5)), (rng.random(80) < 0.4).astype(float)
    weights = rng.random(80)
    coefficients, intercept = logistic.fit(points, labels, weights, 0.05)

    def loss(b: np.ndarray) -> float:
        margins = (2 * labels - 1) * (points @ b[:-1] + b[-1])
        return float(weights @ np.logaddexp(0, -margins) / weights.sum() + 0.025 * b[:-1] @ b[:-1])

    found = minimize(loss, np.zeros(6), method="BFGS", options={"gtol": 1e-9})
    np.testing.assert_allclose([*coefficients, intercept], found.x, atol=1e-5)


def test_separable_sounds_do_not_send_the_classifier_to_infinity() -> None:
    points = np.r_[np.full((10, 1), -5.0), np.full((10, 1), 5.0)]
    coefficients, _ = logistic.fit(points, np.repeat([0.0, 1.0], 10), np.ones(20), 0.1)
    assert 0 < coefficients[0] < 5


def test_sounds_of_one_distribution_cannot_be_told_apart() -> None:
    inside = [(told.low, told.high) for told in (told_from_real(sounds("real"), sounds("made", each=1 + s % 2, seed=s))
                                                 for s in range(10))]  # fmt: skip
    assert sum(low <= 0.5 <= high for low, high in inside) >= 8  # 95 % intervals


def test_real_against_real_is_a_half_whatever_the_sources_share() -> None:
    """Forty speakers with voices of their own: a classifier that had heard them would tell every one."""
    rng = np.random.default_rng(1)
    voices = 5 * rng.standard_normal((40, 20))
    vectors = np.repeat(voices, 4, axis=0) + rng.standard_normal((160, 20))
    speakers = [f"speaker{i}" for i in range(40) for _ in range(4)]
    top = ceiling(Sounds(vectors, ["sentence"] * 160, speakers, [f"s{i}" for i in range(160)]))
    assert top.low <= 0.5 <= top.high
    assert top.splits == 20


def test_every_split_keeps_sources_whole_and_plays_a_quarter_of_each_class() -> None:
    real = sounds("real", classes=3, each=8)
    real = Sounds(real.vectors, real.classes, [f"{c}/{i % 4}" for i, c in enumerate(real.classes)], real.names)
    splits = list(real_splits(real))
    for rest, part in splits:
        assert not set(rest.sources) & set(part.sources)
        assert sorted(part.classes) == [name for name in sorted(set(real.classes)) for _ in range(2)]
    assert len({tuple(part.sources) for _, part in splits}) > 10


def test_graded_mixtures_of_real_and_made_move_the_auc_steadily() -> None:
    real, other, made = sounds("real"), sounds("other", each=2), sounds("made", each=2, shift=4.0)
    aucs = []
    for percent in (0, 25, 50, 75, 100):
        take = np.arange(len(made)) % 4 < percent / 25
        mixed = Sounds(np.where(take[:, None], made.vectors, other.vectors), made.classes, made.names, made.names)
        aucs.append(told_from_real(real, mixed).auc)
    assert all(np.diff(aucs) > 0.05)
    assert aucs[0] == pytest.approx(0.5, abs=0.12)
    assert aucs[-1] > 0.95


def test_what_parts_classes_does_not_part_made_from_real() -> None:
    """More of one class on one side is not a difference between made and real."""
    real, made = sounds("real"), sounds("made")
    uneven = made.at([i for i, name in enumerate(made.classes) if name in {"class0", "class1"} or i % 6 == 0])
    told = told_from_real(real, uneven)
    assert told.low < 0.5 < told.high


def test_the_length_of_a_file_gives_nothing_away() -> None:
    """Made sounds that fill one length, or two, against recordings that fill three; and the other way round."""
    real, made = sounds("real"), sounds("made", each=3)
    for short in ([1] * 36, [2] * 36, [1, 2, 3] * 12):
        told = told_from_real(cut_to(real, [3] * 72), cut_to(made, short))
        assert told.low < 0.5 < told.high
        assert typicality(cut_to(real, [3] * 72), cut_to(made, short)).mean == pytest.approx(0.5, abs=0.15)
    told = told_from_real(cut_to(real, [1, 2, 3] * 24), cut_to(made, [3] * 36))
    assert told.low < 0.5 < told.high
    whole = [Sounds(side.cuts[range(len(side)), side.lengths - 1], side.classes, side.sources, side.names)
             for side in (cut_to(real, [3] * 72), cut_to(made, [1] * 36))]  # fmt: skip
    assert told_from_real(*whole).auc > 0.95  # what lengths would give away


def test_what_is_made_is_told_at_every_length() -> None:
    real, made = sounds("real"), sounds("made", each=3, shift=4.0)
    for short in ([1] * 36, [1, 2, 3] * 12):
        assert told_from_real(cut_to(real, [3] * 72), cut_to(made, short)).auc > 0.9


def test_copies_are_copies_at_every_length() -> None:
    real = cut_to(sounds("real"), [1, 2, 3] * 24)
    scale = Scale.of(real)
    np.testing.assert_allclose(np.diag(scale.distances(real, real)), 0, atol=1e-9)
    np.testing.assert_allclose(scale.distances(real, real), scale.distances(real, real).T, atol=1e-9)
    shorter = Sounds.of([cut[:1] for cut in real.cuts], real.classes, real.sources, real.names)
    np.testing.assert_allclose(np.diag(scale.distances(real, shorter)), 0, atol=1e-9)


def test_each_sound_has_the_dimension_in_which_it_is_farthest_from_its_class() -> None:
    real, made = cut_to(sounds("real"), [3] * 72), sounds("made", each=2)
    made = cut_to(made, [1, 3] * 12)
    made.vectors[3, :, 7] -= 12.0
    made.vectors[4, :, 2] += 12.0
    found = farthest(real, made)
    assert len(found) == 24
    for name, dimension, sign in (("made3", 7, -1), ("made4", 2, 1)):
        assert found[name][0] == dimension
        assert found[name][1] * sign == pytest.approx(12, abs=5)
    assert np.median([abs(far) for _, far in found.values()]) < 4


def test_the_most_telling_sounds_and_the_descriptor_that_parts_them() -> None:
    real, made = sounds("real"), sounds("made", each=2)
    vectors = made.vectors.copy()
    vectors[::2, 3] += 8.0  # every other one gives itself away
    made = Sounds(vectors, made.classes, made.names, made.names)
    told = told_from_real(real, made)
    telling = set(told.telling[:10])
    assert len(telling & set(made.names[::2])) >= 9
    assert apart(real, made)[0].dimension == 3
    assert apart(real, made)[0].auc > 0.7


@pytest.mark.parametrize(
    ("made", "real", "why"),
    [
        (sounds("made", classes=2, each=3), sounds("real"), "too few probes"),
        (sounds("made"), sounds("real", classes=2, each=3), "has 6, needs 8"),
        (Sounds(np.zeros((1, 20)), ["other"], ["p"], ["p"]), sounds("real"), "no class has both"),
    ],
)
def test_too_few_sounds_are_not_measurable_and_say_so(made: Sounds, real: Sounds, why: str) -> None:
    import re

    if len(made) > 6:
        made = made.at([i for i, name in enumerate(made.classes) if name in {"class0", "class1"}])
    told = told_from_real(real, made)
    assert told.auc is None
    assert re.search(why, told.reason)


def test_four_speakers_are_too_few() -> None:
    real = sounds("real", classes=1, each=40)
    real = Sounds(real.vectors, real.classes, [f"speaker{i % 4}" for i in range(40)], real.names)
    told = told_from_real(real, sounds("made", classes=1, each=20))
    assert told.auc is None
    assert "sources or speakers of recordings (has 4, needs 8)" in told.reason


def test_other_dims_are_refused() -> None:
    with pytest.raises(UsageError, match="use one embedder"):
        told_from_real(sounds("real"), sounds("made", dims=7))


def test_recordings_are_typical_and_a_far_sound_is_not() -> None:
    real = sounds("real", classes=10, each=12)
    same = typicality(real, sounds("made", classes=10, each=4))
    assert same.mean == pytest.approx(0.5, abs=0.12)
    assert same.density == pytest.approx(1.0, abs=0.3)
    far = typicality(real, sounds("made", classes=10, each=4, shift=200.0))
    assert far.mean == 0.0
    assert far.precision == 0.0
    assert len(same.by_class) == 10
    assert np.mean([precision for precision, _ in same.by_class.values()]) == pytest.approx(same.precision)
    twin = Sounds(real.vectors[[5]], [real.classes[5]], ["probe"], ["twin"])
    assert typicality(real, twin).nearest == {"twin": real.names[5]}


def test_distances_within_classes_are_the_distances_and_others_are_infinite() -> None:
    real = cut_to(sounds("real", classes=4), [1, 2, 3] * 8)
    made = cut_to(sounds("made", classes=5, each=3), [3, 1, 2] * 5)  # one class has no recordings
    scale = Scale.of(real)
    same = np.equal.outer(np.array(made.classes), np.array(real.classes))
    assert np.array_equal(
        scale.distances_within_classes(made, real), np.where(same, scale.distances(made, real), np.inf)
    )


def test_a_sound_is_farthest_by_its_mean_difference_over_the_deviation_within_classes() -> None:
    real, made = sounds("real", classes=5, dims=6), sounds("made", classes=5, each=2, dims=6)
    pairs = [(a, b) for a in range(30) for b in range(30) if a != b and real.classes[a] == real.classes[b]]
    deviation = np.sqrt(np.mean([(real.vectors[a] - real.vectors[b]) ** 2 for a, b in pairs], axis=0) / 2)
    for i, name in enumerate(made.names):
        mine = [k for k, of in enumerate(real.classes) if of == made.classes[i]]
        away = (made.vectors[i] - real.vectors[mine].mean(axis=0)) / deviation
        dimension, found = farthest(real, made)[name]
        assert dimension == np.abs(away).argmax()
        assert found == pytest.approx(away[dimension])


def test_the_vendi_score_counts_different_sounds() -> None:
    assert vendi(np.eye(7)) == pytest.approx(7)
    assert vendi(np.ones((7, 7))) == pytest.approx(1)
    s = 0.6
    p = np.array([(1 + s) / 2, (1 - s) / 2])  # the eigenvalues of a pair
    assert vendi(np.array([[1, s], [s, 1]])) == pytest.approx(np.exp(-(p * np.log(p)).sum()))
    kernel = np.exp(-np.square(np.subtract.outer(np.arange(4.0), np.arange(4.0))))
    assert vendi(np.kron(kernel, np.ones((2, 2)))) == pytest.approx(vendi(kernel))  # copies add nothing


def attempts(spread: float) -> Sounds:
    rng = np.random.default_rng(4)
    means = 3 * np.random.default_rng(99).standard_normal((12, 20))
    vectors = np.repeat(means, 5, axis=0) + spread * rng.standard_normal((60, 20))
    probes = [f"probe{i}" for i in range(12) for _ in range(5)]
    return Sounds(vectors, [f"class{i}" for i in range(12) for _ in range(5)], probes, [f"a{i}" for i in range(60)])


def test_diversity_rises_from_copies_to_recordings() -> None:
    real = sounds("real")
    found = [diversity(attempts(spread), real) for spread in (0.0, 0.3, 1.0)]
    assert [one.vendi for one in found] == sorted(one.vendi for one in found)
    assert found[0].vendi == pytest.approx(1)
    assert found[0].near_copies == 60
    assert found[0].spread == pytest.approx(0)
    assert found[2].spread == pytest.approx(1, abs=0.1)
    assert found[2].vendi == pytest.approx(found[2].vendi_real, rel=0.1)
    assert found[2].near_copies == 0
    assert found[2].vendi_low < found[2].vendi < found[2].vendi_high


def test_one_attempt_is_not_measurable_and_says_what_to_do() -> None:
    made = attempts(1.0).at(range(0, 60, 5))
    found = diversity(made, sounds("real"))
    assert found.vendi is None
    assert "--attempts 5" in found.reason


def test_recordings_are_covered_by_recordings_and_not_by_copies() -> None:
    real, other = sounds("real"), sounds("other")
    scale = Scale.of(real)
    one = other.at([i for i in range(len(other)) if i % 6 == 0])
    copies = other.at([i - i % 6 for i in range(len(other))])
    assert coverage(real, other, scale) > coverage(real, copies, scale)
    assert coverage(real, copies, scale) == coverage(real, one, scale)


# What says nothing about a sound


def tone(hz: float = 440.0, noise: float = 0.0, seconds: float = 3.0, rate: int = RATE) -> Clip:
    t = np.arange(round(seconds * rate)) / rate
    x = 0.2 * np.sin(2 * np.pi * hz * t) * np.minimum(1, 3 * t) + noise * np.random.default_rng(0).standard_normal(
        len(t)
    )
    return Clip(x[None].astype(np.float32), rate)


def levelled(clip: Clip) -> Clip:
    """The longest cut."""
    return cuts(clip)[-1]


def far(one: Clip, two: Clip) -> float:
    a, b = one.mono, two.mono
    n = min(len(a), len(b))
    return 20 * float(np.log10(np.linalg.norm(a[:n] - b[:n]) / np.linalg.norm(a[:n]) + 1e-9))


def test_gain_leaves_no_trace() -> None:
    one = tone(noise=0.01)
    quiet = Clip(one.samples * np.float32(0.01), one.sample_rate)
    assert far(levelled(one), levelled(quiet)) < -40


def test_padding_and_offset_leave_no_trace() -> None:
    one = tone(noise=0.01)
    padded = Clip(np.pad(one.samples, ((0, 0), (11_111, 33_333))), one.sample_rate)
    shifted = Clip(one.samples + np.float32(0.05), one.sample_rate)
    assert far(levelled(one), levelled(padded)) < -40
    assert far(levelled(one), levelled(shifted)) < -25


def test_sample_rate_and_what_is_above_seven_kilohertz_leave_no_trace() -> None:
    one = tone(noise=0.01)
    narrow = Clip(one.at(16_000)[None], 16_000)
    assert abs(np.log(np.std(levelled(one).mono) / np.std(levelled(narrow).mono))) < 0.02
    spectrum = np.abs(np.fft.rfft(levelled(one).mono))
    hz = np.fft.rfftfreq(len(levelled(one).mono), 1 / 16_000)
    assert spectrum[hz > 7_500].max() < 1e-2 * spectrum.max()


def test_a_sound_is_cut_to_the_lengths_it_fills_and_silence_stays_silence() -> None:
    assert [cut.duration_s for cut in cuts(tone())] == list(LENGTHS)
    assert [cut.duration_s for cut in cuts(tone(seconds=1.4, noise=0.1))] == [0.5, 1.0]
    (short,) = cuts(tone(seconds=0.3, noise=0.1))
    assert short.duration_s == pytest.approx(0.3, abs=0.02)
    long, second = cuts(tone(noise=0.1)), tone(seconds=1.0, noise=0.1)
    assert far(long[1], cuts(Clip(tone(noise=0.1).samples[:, : RATE + 900], RATE))[1]) < -25  # whatever comes after
    assert len(cuts(second)) == 2
    assert not levelled(Clip(np.zeros((2, 999), np.float32), RATE)).samples.any()
    assert not telltales(levelled(Clip(np.zeros((1, 1), np.float32), RATE)).mono).any()


@pytest.mark.parametrize(
    ("name", "less", "more"),
    [
        ("periodicity", tone(noise=0.3), tone()),
        ("between_partials_db", tone(), tone(noise=0.3)),
        ("centroid_octaves", tone(300), tone(3000)),
        ("tilt_db", tone(300, 0.01), tone(3000, 0.01)),
        ("pitch_jitter_cents", tone(), tone(noise=0.3)),
    ],
)
def test_descriptors_say_what_their_words_say(name: str, less: Clip, more: Clip) -> None:
    place = list(WORDS).index(name)
    assert telltales(levelled(less).mono)[place] < telltales(levelled(more).mono)[place]


def test_what_gives_pure_tones_away_is_said_in_words() -> None:
    rng = np.random.default_rng(0)
    made, real = ([telltales(levelled(tone(hz, noise)).mono) for hz in rng.uniform(200, 900, 6)] for noise in (0, 0.1))
    labels = [["tone"] * 6, list("abcdef")]
    found = words_of(
        Sounds(np.array(real, float), *labels, list("abcdef")), Sounds(np.array(made, float), *labels, list("uvwxyz"))
    )
    assert {words for _, auc, words in found if auc in (0, 1)} >= {"too clean between partials", "too periodic"}
    each = words_of_each(
        Sounds(np.array(real, float), *labels, list("abcdef")), Sounds(np.array(made, float), *labels, list("uvwxyz"))
    )
    assert set(each) == set("uvwxyz")
    assert {words for _, far, words in each.values() if far < 0} <= {less for less, _ in WORDS.values()}


# Folders and commands


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Noisy tones of three classes in subfolders, as recordings; pure ones as programs would make them."""
    root, rng = tmp_path_factory.mktemp("realism"), np.random.default_rng(0)
    for side, noise in (("real", 0.05), ("made", 0.0)):
        for i, hz in enumerate((250, 500, 1000)):
            (root / side / f"c{i}").mkdir(parents=True)
            for j in range(4):
                one = tone(hz * rng.uniform(0.9, 1.1), noise * rng.uniform(0.5, 2), 0.7, 16_000)
                soundfile.write(root / side / f"c{i}" / f"{j}.wav", one.mono, 16_000)
    return root / "real", root / "made"


def test_folders_are_told_apart_by_class(folders: tuple[Path, Path]) -> None:
    found = folder_realism(*folders, embedder="telltales")
    assert found.told.auc > 0.9
    assert found.told.sources == 12
    assert found.given_away[0][1] in (0.0, 1.0)
    assert "c0/0.wav" in found.told.each
    assert set(found.words) == set(found.told.each)
    varied = folder_diversity(folders[1], folders[0], embedder="telltales")
    assert varied.groups == 3
    assert varied.vendi is not None


def test_a_manifest_names_classes_and_sources(folders: tuple[Path, Path], tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    rows = ["file,label,source_id"]
    for number, path in enumerate(sorted(folders[0].rglob("*.wav"))):
        (real / f"{number}.wav").write_bytes(path.read_bytes())
        rows.append(f"{number}.wav,{path.parent.name},freesound:{number // 2}")
    (real / "MANIFEST.csv").write_text("\n".join(rows))
    found = folder_realism(real, folders[1], embedder="telltales")
    assert found.told.auc is None  # six sources
    assert "sources or speakers of recordings (has 6" in found.told.reason


def test_commands_print_and_give_json(folders: tuple[Path, Path]) -> None:
    from innerear.cli.main import main

    real, made = map(str, folders)
    said = CliRunner().invoke(main, ["realism", real, made, "--embedder", "telltales"])
    assert said.exit_code == 0, said.output
    assert "told from real" in said.output
    assert "told in" in said.output
    varied = CliRunner().invoke(main, ["diversity", made, "--reference", real, "--embedder", "telltales", "--json"])
    assert varied.exit_code == 0, varied.output
    assert '"vendi"' in varied.output
    each = json.loads(varied.stdout)["each"]
    shown = CliRunner().invoke(main, ["diversity", made, "--reference", real, "--embedder", "telltales"]).stdout
    lines = [line.split() for line in shown.splitlines() if line.startswith("  ") and " = " not in line]
    assert {name: score for score, name in lines} == {name: f"{score:.2f}" for name, score in each.items()}


# On recordings


@pytest.mark.parametrize("embedder", ["yamnet-levelled", "aisfx-levelled"])
@pytest.mark.parametrize("kind", ["environment", "sentences"])
@pytest.mark.slow
def test_shipped_recordings_cannot_be_told_from_one_another(kind: str, embedder: str) -> None:
    reference = find_reference(kind, embedder)
    assert reference is not None
    top = ceiling(of_reference(reference))
    assert top.low <= 0.5 <= top.high


def test_spoken_digits_of_four_speakers_and_notes_of_few_libraries_have_no_ceiling() -> None:
    for kind in ("words", "notes"):
        reference = find_reference(kind, "telltales")
        assert reference is not None
        top = ceiling(of_reference(reference))
        assert top.auc is None
        assert "too few" in top.reason


def _recording(shared: Path, name: str) -> Clip:
    """The recording of this name in one of the two packs."""
    return read(next(file for pack in ("data", "data-more") if (file := shared / pack / name).is_file()))


def _as_programs_do(clip: Clip) -> Clip:
    """Cut to 3 s with faded ends, at 44.1 kHz, normalised to 0.9, half a second of silence after it."""
    x = clip.at(RATE)[: 3 * RATE].copy()
    x[-882:] *= np.linspace(1, 0, 882, dtype=np.float32)
    x *= 0.9 / max(1e-9, float(np.abs(x).max()))
    return Clip(np.pad(x, (0, RATE // 2))[None], RATE)


def _half_a_second(clip: Clip) -> Clip:
    return Clip(clip.samples[:, : clip.sample_rate // 2], clip.sample_rate)


def _mp3(clip: Clip) -> Clip:
    file = io.BytesIO()
    soundfile.write(file, clip.at(RATE) / max(1.0, float(np.abs(clip.mono).max())), RATE, format="MP3")
    file.seek(0)
    return read(file)


@pytest.mark.slow
@pytest.mark.parametrize("road", [_as_programs_do, _half_a_second, _mp3])
def test_recordings_stay_recordings_whatever_road_they_take(shared: Path, road) -> None:  # type: ignore[no-untyped-def]
    from innerear.embed import open_embedder

    reference = find_reference("environment", "yamnet-levelled")
    assert reference is not None
    real, embedder = of_reference(reference), open_embedder("yamnet-levelled")
    held = real.at(np.array(reference.held))
    held = held.at(range(0, len(held), 2))
    rest = real.at(~np.array(reference.held))
    frames = [embedder.embed([road(_recording(shared, name))])[0] for name in held.names]
    told = told_from_real(rest, Sounds.of(frames, held.classes, held.sources, held.names), repeats=2)
    untouched = told_from_real(rest, held, repeats=2)
    assert told.low <= 0.5 <= told.high
    assert abs(told.auc - untouched.auc) < 0.1


@pytest.mark.slow
def test_known_degradations_come_in_order(shared: Path) -> None:
    from innerear.distance.kernel import KernelReference, kad
    from innerear.embed import open_embedder

    reference, embedder = find_reference("environment", "yamnet"), open_embedder("yamnet")
    assert reference is not None
    names = [name for name, held in zip(reference.names, reference.held, strict=True) if held][::5]
    clips = [_recording(shared, name).at(16_000) for name in names]
    kernel, rng = KernelReference.of(reference.kept), np.random.default_rng(0)
    noises = [rng.standard_normal(len(x)) for x in clips]
    found = []
    for snr_db in (None, 20, 10, 0):
        made = []
        for x, noise in zip(clips, noises, strict=True):
            level = 0.0 if snr_db is None else 10 ** (-snr_db / 20) * np.sqrt(np.mean(x**2))
            made.append(Clip((x + level * noise).astype(np.float32)[None], 16_000))
        found.append(kad(kernel, embedder.embed(made)))
    assert found == sorted(found)
    assert found[-1] - found[0] > 3
