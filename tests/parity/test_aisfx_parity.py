"""aiSFX here beside its own package under torch, with the published weights, from the package index.

The package has two front ends: by Essentia, which its paper used, and by librosa, which runs
everywhere and is held to here. As published, the latter gives bands by time where the network
wants time by bands; it is transposed here before the package's own blocking and network.
"""

import codecs
from pathlib import Path

import numpy as np
import pytest
import soundfile

from innerear.clip import Clip
from innerear.embed import Embedder, open_embedder
from innerear.embed.aisfx import HOP_LENGTH, MARGIN, SAMPLE_RATE, SHORTEST, STEP, spectra
from innerear.embed.aisfx_network import network
from innerear.embed.checkpoint import read_tensors
from innerear.embed.weights import find, home

pytest.importorskip("torch", reason="the extra `export` is not installed")
librosa_spectra = pytest.importorskip(
    "aisfx.spectrogram.spectrogram_librosa", reason="librosa or the package aisfx is not installed"
)
inference = pytest.importorskip("aisfx.inference", reason="the package aisfx is not installed")
CHECKPOINT = Path(inference.get_path_modelWeights())
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INNEREAR_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("INNEREAR_MODELS", raising=False)
        path = home("aisfx/checkpoint.pth")
        path.parent.mkdir(parents=True)
        path.write_bytes(CHECKPOINT.read_bytes())
        return open_embedder("aisfx", "none")


@pytest.fixture(scope="module")
def published():
    """The weights and the labels by torch, which has to be told of the labels' numbers."""
    from torch.serialization import safe_globals

    scalar = (np._core.multiarray.scalar, "numpy.core.multiarray.scalar")
    numbers = [scalar, np.dtype, np.dtypes.Int64DType, codecs.encode]
    with safe_globals(numbers):
        return inference.load_weights("cpu")


@pytest.fixture(scope="module")
def theirs(published):
    return inference.load_bestModel(*published, "cpu")


def sounds() -> dict[str, np.ndarray]:
    """Of largest sample 1, which the package makes all its sounds, and of lengths that windows fill."""
    rng = np.random.default_rng(0)
    once, thrice = SHORTEST, SHORTEST + 2 * STEP * HOP_LENGTH
    t = np.arange(thrice) / SAMPLE_RATE
    made = {
        "noise": rng.normal(0, 0.2, thrice),
        "sweep": np.sin(2 * np.pi * 40 * t * (1 + t * 40)),
        "click": np.eye(1, once, 30_000)[0],
        "tone": np.sin(2 * np.pi * 440 * t[:once]),
        "fading noise": rng.normal(0, 0.2, once) * np.exp(-np.arange(once) / 5000),
    }
    return {name: (samples / np.abs(samples).max()).astype(np.float32) for name, samples in made.items()}


def package_spectra(samples: np.ndarray, path: Path) -> np.ndarray:
    soundfile.write(path, samples, SAMPLE_RATE, subtype="FLOAT")
    bands = librosa_spectra.compute_spectrogram(
        path, inference.SAMPLE_RATE, inference.SPEC_BLOCK_LENGTH, inference.SPEC_HOP_LENGTH,
        inference.MEL_BINS, inference.F_MIN, inference.F_MAX,
    )  # fmt: skip
    return inference.spectrogram_normalize(bands.T)


@pytest.mark.parametrize("name", sounds())
def test_spectra_are_those_of_the_package(name: str, tmp_path: Path) -> None:
    samples = sounds()[name]
    wanted = package_spectra(samples, tmp_path / "sound.wav")
    np.testing.assert_allclose(spectra(np.concatenate([MARGIN, samples, MARGIN])), wanted, atol=1e-5)


@pytest.mark.parametrize("name", sounds())
def test_frames_are_those_of_the_package(name: str, ours: Embedder, theirs, tmp_path: Path) -> None:
    samples = sounds()[name]
    heard = package_spectra(samples, tmp_path / "sound.wav")
    wanted = inference.model_get_embedding(heard, 0.5, True, theirs, "cpu").numpy()
    (found,) = ours.embed([Clip(samples[np.newaxis], SAMPLE_RATE)])
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_tensors_are_those_that_torch_reads(published) -> None:
    weights, _ = published
    found = read_tensors(CHECKPOINT)
    assert found.keys() == weights.keys()
    for name, tensor in weights.items():
        np.testing.assert_array_equal(found[name], tensor.numpy())


def test_the_file_written_is_a_network_by_the_rules_of_onnx(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="the extra `export` is not installed")
    onnx.checker.check_model(onnx.load_from_string(network(CHECKPOINT)), full_check=True)


def test_the_network_written_is_the_one_whose_checksum_the_table_has(ours: Embedder) -> None:
    written = next(source for source in find("aisfx") if source.exported_from)
    assert written.checksum.removeprefix("sha256:").startswith(ours.signature.split("@")[1][:8])
