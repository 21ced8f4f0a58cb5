"""PANNs CNN14: our front end and network beside the reference's, with the same random weights, on real audio.

The reference is re-typed in float64 from the sources named beside each step; run once beside the
installed panns_inference 0.1.1 with the same weights, it gave the same numbers (docs/embedders.md).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from innerear.clip import Clip, read
from innerear.dsp.mel import slaney_log_mel
from innerear.embed.panns import Cnn14
from innerear.embed.weights import home, record
from innerear.lab.export import export

from .checkpoints import save_cnn14

torch = pytest.importorskip("torch", reason="the extra `export` is not installed")
pytest.importorskip("onnx", reason="the extra `export` is not installed")

CLIPS = ["env/dog", "notes/real", "speech/digits"]


def log_mel(samples: np.ndarray) -> np.ndarray:
    """torchlibrosa 0.1.0 stft.py: Spectrogram (center, reflect, hann), LogmelFilterBank (mel, power_to_db)."""
    mirrored = np.pad(samples.astype(np.float64), 512, mode="reflect")
    count = 1 + (len(mirrored) - 1024) // 320
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)
    framed = np.array([mirrored[320 * i : 320 * i + 1024] * window for i in range(count)])
    power = np.abs(np.fft.rfft(framed)) ** 2
    return 10 * np.log10(np.clip(power @ mel_filters(), 1e-10, None))


def mel_filters() -> np.ndarray:
    """librosa 0.11 filters.mel (htk=False, norm="slaney") and core.convert.hz_to_mel, by their formulas."""

    def to_mel(hz: float) -> float:
        return hz / (200 / 3) if hz < 1000 else 15 + 27 * np.log(hz / 1000) / np.log(6.4)

    def to_hz(mel: float) -> float:
        return mel * 200 / 3 if mel < 15 else 1000 * 6.4 ** ((mel - 15) / 27)

    edges = [to_hz(mel) for mel in np.linspace(to_mel(50.0), to_mel(14_000.0), 66)]
    weights = np.zeros((513, 64))
    for band in range(64):
        left, middle, right = edges[band : band + 3]
        for k in range(513):
            hz = k * 32_000 / 1024
            weights[k, band] = max(0.0, min((hz - left) / (middle - left), (right - hz) / (right - middle)))
        weights[:, band] *= 2 / (right - left)
    return weights


def network(state: dict[str, Any], bands: np.ndarray) -> np.ndarray:
    """panns_inference 0.1.1 models.py, Cnn14.forward, lines 123-171, and ConvBlock.forward, lines 62-80, in float64."""
    weights = {name: values.double() for name, values in state.items() if values.is_floating_point()}
    functional = torch.nn.functional

    def norm(x: Any, name: str) -> Any:
        parts = (weights[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
        return functional.batch_norm(x, *parts)

    x = torch.from_numpy(bands)[None, None]
    x = norm(x.transpose(1, 3), "bn0").transpose(1, 3)
    for place in range(1, 7):
        for number in (1, 2):
            x = functional.conv2d(x, weights[f"conv_block{place}.conv{number}.weight"], padding=1)
            x = functional.relu(norm(x, f"conv_block{place}.bn{number}"))
        x = functional.avg_pool2d(x, 2 if place < 6 else 1)
    x = x.mean(dim=3)
    x = x.max(dim=2).values + x.mean(dim=2)
    return functional.relu(functional.linear(x, weights["fc1.weight"], weights["fc1.bias"])).numpy()


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cnn14, dict[str, Any]]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INNEREAR_CACHE", str(tmp_path_factory.mktemp("panns")))
        patch.delenv("INNEREAR_MODELS", raising=False)
        path = home("panns-cnn14/Cnn14_mAP=0.431.pth")
        state = save_cnn14(path)
        record(path, "random, for tests")
        export("panns-cnn14")
        yield Cnn14("none"), state


@pytest.fixture(scope="module")
def clips(pack: Path) -> list[Clip]:
    return [read(next(p for p in sorted((pack / name).rglob("*")) if p.suffix in {".ogg", ".flac"})) for name in CLIPS]


def test_log_mel_is_the_reference_s(clips: list[Clip]) -> None:
    for clip in clips:
        samples = clip.at(32_000)
        np.testing.assert_allclose(slaney_log_mel(samples, 32_000, 320), log_mel(samples), atol=1e-4)


@pytest.mark.slow
def test_a_sound_of_up_to_10_s_is_heard_whole(both: tuple[Cnn14, dict[str, Any]], clips: list[Clip]) -> None:
    ours, state = both
    for clip in clips:
        samples = clip.at(32_000)[:320_000]
        samples = np.pad(samples, (0, max(0, 32_000 - len(samples))))
        wanted = network(state, log_mel(samples))
        (found,) = ours.embed([Clip(samples[None], 32_000)])
        assert np.abs(found - wanted).max() <= 1e-4 * np.abs(wanted).max()


@pytest.mark.slow
def test_clips_come_out_apart(both: tuple[Cnn14, dict[str, Any]], clips: list[Clip]) -> None:
    found = [frames.mean(axis=0) for frames in both[0].embed(clips[:2])]
    assert np.abs(found[0] - found[1]).max() > 0.02 * np.abs(found[0]).max()
