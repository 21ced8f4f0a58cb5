"""VGGish: our front end, windows and network beside the reference's, with the same random weights, on real audio.

The reference is re-typed in float64 from the sources named beside each step; run once beside the
installed torchvggish 0.2 with the same weights, it gave the same numbers (docs/embedders.md).
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from innerear.clip import Clip, read
from innerear.dsp.mel import htk_log_mel
from innerear.embed import open_embedder
from innerear.embed.weights import home
from innerear.errors import WeightsUnavailable
from innerear.lab.export import export

from .checkpoints import save_cnn14, save_vggish

torch = pytest.importorskip("torch", reason="the extra `export` is not installed")
pytest.importorskip("onnx", reason="the extra `export` is not installed")


def log_mel(samples: np.ndarray) -> np.ndarray:
    """torchvggish 0.2 torchvggish/mel_features.py (tensorflow/models'), lines 21-223; numbers: vggish_params.py."""
    count = 1 + (len(samples) - 400) // 160
    framed = np.array([samples[160 * i : 160 * i + 400] for i in range(count)], dtype=np.float64)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)  # periodic_hann
    magnitude = np.abs(np.fft.rfft(framed * window, 512))  # stft_magnitude
    to_mel = lambda hz: 1127.0 * np.log(1.0 + hz / 700.0)  # noqa: E731  hertz_to_mel
    edges = np.linspace(to_mel(125.0), to_mel(7500.0), 66)
    bins = to_mel(np.linspace(0.0, 8000.0, 257))
    weights = np.zeros((257, 64))
    for band in range(64):  # spectrogram_to_mel_matrix
        left, middle, right = edges[band : band + 3]
        weights[:, band] = np.clip(
            np.minimum((bins - left) / (middle - left), (right - bins) / (right - middle)), 0, None
        )
    weights[0] = 0.0
    return np.log(magnitude @ weights + 0.01)


def network(state: dict[str, Any], examples: np.ndarray) -> np.ndarray:
    """torchvggish 0.2 torchvggish/torchvggish.py, lines 11-39 and 82-92, less its last activation, in float64."""
    functional = torch.nn.functional
    x = torch.from_numpy(examples)[:, None]
    weights = {name: values.double() for name, values in state.items()}
    for place in (0, "pool", 3, "pool", 6, 8, "pool", 11, 13, "pool"):
        if place == "pool":
            x = functional.max_pool2d(x, 2, 2)
        else:
            x = functional.relu(
                functional.conv2d(x, weights[f"features.{place}.weight"], weights[f"features.{place}.bias"], padding=1)
            )
    x = x.transpose(1, 3).transpose(1, 2).reshape(len(x), -1)
    for place in (0, 2, 4):
        x = functional.linear(x, weights[f"embeddings.{place}.weight"], weights[f"embeddings.{place}.bias"])
        x = functional.relu(x) if place < 4 else x
    return x.numpy()


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INNEREAR_CACHE", str(tmp_path_factory.mktemp("vggish")))
        patch.delenv("INNEREAR_MODELS", raising=False)
        # the real file has these digits; a random one is let in by a record, as an export is
        path = home("vggish/vggish-10086976.pth")
        weights = save_vggish(path)
        from innerear.embed.weights import record

        record(path, "random, for tests")
        export("vggish")
        yield weights, path.parents[2]


@pytest.fixture
def opened(state: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    weights, cache = state
    monkeypatch.setenv("INNEREAR_CACHE", str(cache))
    monkeypatch.delenv("INNEREAR_MODELS", raising=False)
    return weights


CLIPS = ["env/dog", "notes/real", "speech/digits"]


@pytest.fixture(scope="module", params=CLIPS)
def clip(request: pytest.FixtureRequest, pack: Path) -> Clip:
    return read(next(path for path in sorted((pack / request.param).rglob("*")) if path.suffix in {".ogg", ".flac"}))


def near(ours: np.ndarray, theirs: np.ndarray) -> None:
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() <= 1e-4 * np.abs(theirs).max()


def test_log_mel_is_the_reference_s(clip: Clip) -> None:
    np.testing.assert_allclose(htk_log_mel(clip.at(16_000)), log_mel(clip.at(16_000)), atol=1e-5)


@pytest.mark.slow
def test_patches_side_by_side_are_torchvggish_s(opened: dict[str, Any], clip: Clip) -> None:
    """torchvggish 0.2 torchvggish/vggish_input.py, lines 55-79: patches of 96 frames that fit whole, level as it is."""
    samples = clip.at(16_000)
    samples = np.pad(samples, (0, max(0, 15_600 - len(samples))))  # where the port gives no patch, ours pads with zeros
    bands = log_mel(samples)
    examples = np.array([bands[96 * i : 96 * i + 96] for i in range(len(bands) // 96)])
    near(open_embedder("vggish-torch", "none").embed([clip])[0], network(opened, examples))


@pytest.mark.slow
def test_windows_of_a_second_every_half_are_google_s(opened: dict[str, Any], clip: Clip) -> None:
    """Typed from a description of Google's FAD, not its source: by max(0.1, max sample); 1 s, step 0.5 s."""
    samples = clip.at(16_000)
    samples = np.pad(samples, (0, max(0, 16_000 - len(samples)))) / max(0.1, samples.max())
    starts = range(0, len(samples) - 16_000 + 1, 8_000)
    examples = np.array([log_mel(samples[start : start + 16_000])[:96] for start in starts])
    near(open_embedder("vggish").embed([clip])[0], network(opened, examples))


@pytest.mark.slow
def test_clips_come_out_apart(opened: dict[str, Any], pack: Path) -> None:
    """What makes the tests above worth something: other sounds are much further than the tolerance."""
    clips = [read(next((pack / name).rglob("*.[of]*"))) for name in CLIPS[:2]]
    one, two = (frames.mean(0) for frames in open_embedder("vggish-torch").embed(clips))
    assert np.abs(one - two).max() > 0.05 * np.abs(one).max()


@pytest.mark.slow
def test_another_checkpoint_is_one_line(
    opened: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INNEREAR_CACHE", str(tmp_path))
    from innerear.embed.weights import record

    path = home("vggish/vggish-10086976.pth")
    save_cnn14(path)
    record(path, "wrong, for tests")
    with pytest.raises(WeightsUnavailable, match=r"is no checkpoint of vggish: KeyError 'features\.0\.weight'"):
        export("vggish")
