"""The contract that scoring relies on, held to every embedder that can be opened here."""

import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from aisfx_made import save_aisfx
from innerear.clip import Clip, read
from innerear.embed import EMBEDDERS, Embedder, open_embedder
from innerear.embed.loudness import gain
from innerear.embed.weights import find, home, record
from innerear.embed.windows import Cut, repeated
from innerear.embed.yamnet import _without_news
from innerear.errors import UsageError, WeightsUnavailable

ENCODECS = {"encodec-24khz": 125, "encodec-24khz-all": 750}  # frames in a window
NETWORKS = ["clap-laion", "vggish", "vggish-torch", "panns-cnn14", *ENCODECS]  # of the CLAPs, the others are one code
AS_THEY_ARE = sorted(name for name in EMBEDDERS if name not in NETWORKS and not name.startswith("clap-"))


@pytest.fixture(scope="session", params=[*AS_THEY_ARE, *(pytest.param(n, marks=pytest.mark.slow) for n in NETWORKS)])
def embedder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    name: str = request.param
    if name == "aisfx":
        pytest.importorskip("onnxruntime", reason="the extra `speech` is not installed")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("INNEREAR_CACHE", str(tmp_path_factory.mktemp("cache")))
            patch.delenv("INNEREAR_MODELS", raising=False)
            save_aisfx(home("aisfx/checkpoint.pth"))
            record(home("aisfx/checkpoint.pth"), "random, for tests")
            return open_embedder(name)
    if name in AS_THEY_ARE:
        try:
            return open_embedder(name)
        except WeightsUnavailable as error:
            pytest.skip(str(error))
    pytest.importorskip("transformers", reason="the extra `export` is not installed")
    pytest.importorskip("onnx", reason="the extra `export` is not installed")
    from innerear.lab.export import export
    from parity.checkpoints import save_clap, save_cnn14, save_encodec, save_vggish

    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INNEREAR_CACHE", str(cache))
        patch.delenv("INNEREAR_MODELS", raising=False)
        if name == "clap-laion":
            save_clap(cache / "hub")
            export(name, cache / "hub")
        elif name in ENCODECS:
            save_encodec(cache / "hub")
            export("encodec-24khz", cache / "hub")
        else:
            model = name.removesuffix("-torch")
            checkpoint = home(find(model)[0].file)
            (save_vggish if model == "vggish" else save_cnn14)(checkpoint)
            record(checkpoint, "random, for tests")
            export(model)
        return open_embedder(name)


def noise(duration_s: float, sample_rate: int = 44_100, channels: int = 1, seed: int = 0) -> Clip:
    samples = np.random.default_rng(seed).normal(0, 0.1, (channels, round(duration_s * sample_rate)))
    return Clip(samples.astype(np.float32), sample_rate)


def size(frames: np.ndarray) -> float:
    return max(1.0, float(np.abs(frames).max()))


def test_frames_are_float32_of_the_dims_it_states(embedder: Embedder) -> None:
    (frames,) = embedder.embed([noise(3.0)])
    assert frames.dtype == np.float32
    assert frames.ndim == 2
    assert frames.shape[1] == embedder.dims
    assert np.isfinite(frames).all()


def test_a_batch_is_only_faster(embedder: Embedder) -> None:
    clips = [noise(1.5), noise(11.0, seed=1), noise(0.3, seed=2)]
    for alone, together in zip([embedder.embed([clip])[0] for clip in clips], embedder.embed(clips), strict=True):
        np.testing.assert_allclose(alone, together, atol=1e-5 * size(alone))


def test_the_same_clip_gives_the_same_bytes_twice(embedder: Embedder) -> None:
    clip = noise(12.3, channels=2)
    assert embedder.embed([clip])[0].tobytes() == embedder.embed([clip])[0].tobytes()


def test_a_file_and_its_array_give_the_same_frames(embedder: Embedder, tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    long = noise(31.0, 48_000, channels=2)  # more samples than are decoded at once
    soundfile.write(path, long.samples.T, 48_000, subtype="FLOAT")
    (array,) = embedder.embed([read(path)])
    np.testing.assert_allclose(embedder.embed_file(path), array, atol=1e-4 * size(array))


@pytest.mark.parametrize("samples", [1, 441], ids=["one sample", "10 ms"])
def test_a_clip_shorter_than_a_window_is_one_finite_frame(embedder: Embedder, samples: int) -> None:
    (frames,) = embedder.embed([Clip(np.full((1, samples), 0.5, np.float32), 44_100)])
    assert frames.shape == (1, embedder.dims)
    assert np.isfinite(frames).all()


def test_silence_is_finite_and_its_windows_are_equal(embedder: Embedder) -> None:
    (frames,) = embedder.embed([Clip(np.zeros((1, 44_100 * 21), np.float32), 44_100)])
    assert np.isfinite(frames).all()
    window = frames[: ENCODECS.get(embedder.name, 1)]
    np.testing.assert_allclose(frames, np.resize(window, frames.shape), atol=1e-5 * size(frames))


def test_gain_says_nothing(embedder: Embedder) -> None:
    loud = noise(2.0)
    factor = 0.5 if "loud:peak" in embedder.signature else 0.01  # Google's rule raises no peak that is below 0.1
    quiet = Clip(loud.samples * np.float32(factor), loud.sample_rate)
    loud_frames, quiet_frames = embedder.embed([loud, quiet])
    step = embedder.quantum or 0.0  # an int8 layer may round to its neighbour
    np.testing.assert_allclose(loud_frames, quiet_frames, atol=1e-3 * size(loud_frames) + step)


def test_the_signature_names_weights_rate_windows_padding_and_level(embedder: Embedder) -> None:
    for part in ("|sr:", "|win:", "|hop:", "|pad:", "|loud:", "|v:"):
        assert part in embedder.signature


def test_an_unknown_embedder_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match=r"did you mean 'yamnet'"):
        open_embedder("yamnett")


@given(
    st.integers(0, 200), st.integers(1, 40), st.integers(0, 39), st.integers(1, 5),
    st.sampled_from(["drop", "end"]), st.integers(1, 50),
)  # fmt: skip
def test_windows_do_not_depend_on_how_the_signal_arrives(
    samples: int, length: int, overlap: int, most: int, tail: str, block: int
) -> None:
    hop = max(1, length - overlap)
    signal = np.arange(samples, dtype=np.float32)
    cut = Cut(length, hop, tail)  # type: ignore[arg-type]

    def starts(blocks: list[np.ndarray], at_most: int) -> list[tuple[float, float]]:
        found = []
        for stretch in cut.stretches(blocks, at_most):
            found += [(stretch[i], stretch[i + length - 1]) for i in range(0, len(stretch) - length + 1, hop)]
        return found

    whole = starts([signal], 1)
    assert starts([signal[i : i + block] for i in range(0, samples, block)], most) == whole
    assert len(whole) == max(1, (samples - length) // hop + 1) + (
        tail == "end" and samples > length and (samples - length) % hop > 0
    )
    if tail == "end" and samples >= length:
        assert whole[-1] == (samples - length, samples - 1)


@given(st.integers(0, 200), st.integers(1, 40), st.integers(1, 5), st.integers(1, 50))
def test_windows_side_by_side_with_a_rest_hear_all_of_a_signal_once(
    samples: int, length: int, most: int, block: int
) -> None:
    signal = np.arange(samples, dtype=np.float32)
    cut = Cut(length, length, "rest", lambda short, _: short)
    blocks = [signal[i : i + block] for i in range(0, samples, block)]
    heard = list(cut.stretches(blocks, most))
    np.testing.assert_array_equal(np.concatenate(heard), signal)
    assert all(len(stretch) % length == 0 for stretch in heard[:-1])


@given(st.lists(st.integers(0, 700), min_size=1, max_size=6))
def test_the_level_does_not_depend_on_how_the_signal_arrives(sizes: list[int]) -> None:
    signal = np.random.default_rng(0).normal(0, 0.1, sum(sizes)).astype(np.float32)
    blocks = np.split(signal, np.cumsum(sizes)[:-1])
    for rule in ("active", "whole", "peak", "none"):
        assert gain(blocks, 8_000, rule) == gain([signal], 8_000, rule)  # type: ignore[arg-type]


def test_a_short_signal_is_repeated_as_often_as_it_fits_whole() -> None:
    assert repeated(np.array([1, 2, 3], np.float32), 8).tolist() == [1, 2, 3, 1, 2, 3, 0, 0]


@pytest.mark.slow
def test_two_hours_are_streamed_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "two-hours.wav"
    minute = noise(60.0, 8_000).samples[0]
    with soundfile.SoundFile(path, "w", 8_000, 1, subtype="PCM_16") as file:
        for _ in range(120):
            file.write(minute)
    mel = open_embedder("mel")
    tracemalloc.start()
    frames = mel.embed_file(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(frames) == (7_200 * 16_000 - 15_712) // 7_680 + 1
    assert peak < 120e6  # all of it at 16 kHz would be 461 MB


def test_news_of_the_runtime_is_kept_back_and_warnings_are_not(capfd: pytest.CaptureFixture[str]) -> None:
    with _without_news():
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\nWARNING: this matters\n")
    os.write(2, b"later\n")
    assert capfd.readouterr().err == "WARNING: this matters\nlater\n"
