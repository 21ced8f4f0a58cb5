"""The distances on real recordings, heard by `yamnet`: what they must see, and what they must not."""

import os
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from innerear.clip import Clip, read_mono
from innerear.compute.threads import ordered
from innerear.distance.frechet import frechet_distance
from innerear.distance.kernel import KernelReference, kad
from innerear.distance.moments import Gaussian, Moments
from innerear.embed import open_embedder

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif("INNEREAR_SHARED" not in os.environ, reason="INNEREAR_SHARED is not set"),
]
PACK = Path(os.environ.get("INNEREAR_SHARED", "")) / "data"
RATE = 16_000
FLOORS = {25: (14.8, 0.0), 50: (8.6, 0.0), 100: (6.5, 0.0)}
"""(FAD, KAD) of so many environment clips to 200 others: the floors that docs/metrics-alone.md gives."""


@pytest.fixture(scope="module")
def yamnet():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INNEREAR_MODELS", str(PACK / "models"))
        yield open_embedder("yamnet")


@pytest.fixture(scope="module")
def sounds():
    paths = sorted((PACK / "env").rglob("*.ogg"))
    assert len(paths) == 400
    return [
        (path.parent.name, clip) for path, clip in zip(paths, ordered(lambda p: read_mono(p, RATE), paths), strict=True)
    ]


@pytest.fixture(scope="module")
def heard(yamnet, sounds):
    return list(hear(yamnet, [clip for _, clip in sounds]))


def hear(yamnet, clips):
    return ordered(lambda clip: yamnet.embed([clip])[0], clips)


@pytest.fixture(scope="module")
def halves(sounds, heard):
    """Every other clip: 200 as the reference, and 40 of the others to be spoilt."""
    return heard[::2], [clip for _, clip in sounds[1::2]][::5]


def mean_distances(sounds, heard, distances, splits):
    by_class = defaultdict(list)
    for (name, _), frames in zip(sounds, heard, strict=True):
        by_class[name].append(frames)
    rng = np.random.default_rng(0)
    total = np.zeros((len(by_class), len(by_class)))
    for _ in range(splits):
        orders = [rng.permutation(len(clips)) for clips in by_class.values()]
        held, asked = (
            [[clips[i] for i in part(order)] for clips, order in zip(by_class.values(), orders, strict=True)]
            for part in (lambda order: order[:4], lambda order: order[4:])
        )
        total += distances(held, asked)
    return total


def test_the_nearest_class_of_an_environment_sound_is_its_own(sounds, heard):
    def distances(held, asked):
        gaussians = [Gaussian.of(np.concatenate(clips)) for clips in held]
        others = [Gaussian.of(np.concatenate(clips)) for clips in asked]
        return [[frechet_distance(gaussian, other) for gaussian in gaussians] for other in others]

    total = mean_distances(sounds, heard, distances, splits=4)
    assert (total.argmin(axis=1) == np.arange(50)).sum() >= 48


def noisy(samples, snr_db, rng):
    noise = rng.standard_normal(len(samples)).astype(np.float32)
    return samples + noise * np.float32(np.sqrt(np.mean(samples**2) / 10 ** (snr_db / 10)))


def low_passed(samples, hz):
    return sosfilt(butter(8, hz, fs=RATE, output="sos"), samples).astype(np.float32)


def clipped(samples, drive_db):
    return np.clip(samples / np.abs(samples).max() * 10 ** (drive_db / 20), -1, 1).astype(np.float32)


@pytest.mark.parametrize(
    ("spoil", "steps"),
    [
        (lambda x, snr_db: noisy(x, snr_db, np.random.default_rng(0)), (40, 20, 0)),
        (low_passed, (4000, 2000, 500)),
        (clipped, (20, 30, 40)),
    ],
    ids=["noise", "low-pass", "clipping"],
)
def test_the_more_a_set_is_spoilt_the_further_it_lies(yamnet, halves, spoil, steps):
    reference, clips = halves
    audible = [clip for clip in clips if clip.samples.any()]
    gaussian, kernel = Gaussian.of(np.concatenate(reference)), KernelReference.of(reference)
    sets = [list(hear(yamnet, audible))]
    for step in steps:
        spoilt = [Clip(spoil(clip.samples[0], step)[np.newaxis], RATE) for clip in audible]
        sets.append(list(hear(yamnet, spoilt)))
    for values in (
        [frechet_distance(gaussian, np.concatenate(each)) for each in sets],
        [kad(kernel, each) for each in sets],
    ):
        assert values == sorted(values)
        assert values[-1] > 1.2 * values[0]


def test_equal_numbers_of_real_clips_give_the_documented_floors(heard):
    rng = np.random.default_rng(0)
    for n, (fad_floor, kad_floor) in FLOORS.items():
        found = []
        for _ in range(4):
            order = rng.permutation(400)
            held, asked = ([heard[i] for i in part] for part in (order[:200], order[200 : 200 + n]))
            found.append((frechet_distance(np.concatenate(held), np.concatenate(asked)), kad(held, asked)))
        fad, kernel = np.mean(found, axis=0)
        assert fad == pytest.approx(fad_floor, rel=0.15)
        assert kernel == pytest.approx(kad_floor, abs=0.5)


@pytest.mark.parametrize("gain_db", [-12, 12])
def test_a_volume_knob_moves_fad_by_less_than_a_per_cent(yamnet, halves, gain_db):
    reference, clips = halves
    gaussian = Gaussian.of(np.concatenate(reference))
    turned = [Clip(clip.samples * np.float32(10 ** (gain_db / 20)), RATE) for clip in clips]
    plain, moved = (frechet_distance(gaussian, np.concatenate(list(hear(yamnet, each)))) for each in (clips, turned))
    assert moved == pytest.approx(plain, rel=0.01)


def test_shards_of_real_frames_add_up_to_the_whole(heard):
    reference, rest = np.concatenate(heard[::2]), heard[1::2]
    shards = [Moments.of(np.concatenate(rest[i::5])) for i in range(5)]
    total = sum(shards[1:], start=shards[0])
    assert frechet_distance(reference, total) == pytest.approx(
        frechet_distance(reference, np.concatenate(rest)), rel=1e-9
    )


def test_order_and_size_of_batches_change_no_frame(yamnet, sounds, heard):
    some = [clip for _, clip in sounds[:12]]
    together = yamnet.embed(some[::-1])[::-1]
    for alone, batched in zip(heard[:12], together, strict=True):
        np.testing.assert_array_equal(alone, batched)


@pytest.mark.slow
@pytest.mark.long
def test_half_an_hour_in_one_file_has_a_value(tmp_path, sounds):
    import soundfile

    from innerear.distance.folders import embed

    minute = np.tile(sounds[0][1].samples[0], 13)[: 60 * RATE]
    with soundfile.SoundFile(tmp_path / "long.flac", "w", RATE, 1, "PCM_16") as file:
        for _ in range(30):
            file.write(minute)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INNEREAR_MODELS", str(PACK / "models"))
        found = embed(tmp_path)
    assert found.seconds == 1800
    assert len(found.frames) == 1 + (1800 * RATE - 15_600) // 7_680
