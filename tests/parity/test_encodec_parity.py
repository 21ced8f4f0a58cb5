"""EnCodec: our path beside transformers' EncodecModel: same random weights in the hub's layout, real audio."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from innerear.cli.main import main
from innerear.clip import Clip, read
from innerear.embed.encodec import CUT, FRAME, SAMPLE_RATE, Encodec
from innerear.embed.weights import home, record
from innerear.errors import UsageError, WeightsUnavailable
from innerear.lab.export import export

from .checkpoints import save_clap, save_encodec

torch = pytest.importorskip("torch", reason="the extra `export` is not installed")
pytest.importorskip("onnx", reason="the extra `export` is not installed")
transformers = pytest.importorskip("transformers", reason="the extra `export` is not installed")

pytestmark = pytest.mark.usefixtures("exported")
CHECKPOINT = ("encodec-24khz", save_encodec)  # of the fixture `hub`
CLIPS = ["env/dog", "notes/real", "speech/digits", "env/rain", "speech/librispeech"]


@pytest.fixture(scope="module")
def theirs(hub: Path) -> Any:
    """What others hear: transformers' encoder, a whole signal in, all of its frames out."""
    encoder = transformers.EncodecModel.from_pretrained(hub).eval().encoder

    def frames(samples: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return encoder(torch.from_numpy(samples)[None, None])[0].T.numpy()

    return frames


def clip_of(pack: Path, name: str) -> Clip:
    clip = read(next(path for path in sorted((pack / name).rglob("*")) if path.suffix in {".ogg", ".flac"}))
    return Clip(clip.samples[:, : 10 * clip.sample_rate], clip.sample_rate)


def near(ours: np.ndarray, theirs: np.ndarray) -> None:
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() <= 1e-4 * np.abs(theirs).max()


@pytest.mark.parametrize("name", [*CLIPS[:3], *(pytest.param(name, marks=pytest.mark.slow) for name in CLIPS[3:])])
def test_a_sound_of_up_to_10_s_is_heard_whole_as_transformers_hears_it(theirs: Any, pack: Path, name: str) -> None:
    clip = clip_of(pack, name)
    (found,) = Encodec("encodec-24khz-all", "none").embed([clip])
    near(found, theirs(clip.at(SAMPLE_RATE)))


@pytest.mark.parametrize("samples", [320, 321, 639, 640, 2_240, 2_241, 24_319])
def test_a_part_of_a_frame_is_mirrored_as_transformers_does(theirs: Any, samples: int) -> None:
    signal = np.random.default_rng(0).normal(0, 0.1, samples).astype(np.float32)
    (found,) = Encodec("encodec-24khz-all", "none").embed([Clip(signal[None], SAMPLE_RATE)])
    assert len(found) == -(-samples // FRAME)
    near(found, theirs(signal))


@pytest.mark.slow
def test_a_long_sound_is_its_windows_each_as_transformers_hears_it(theirs: Any, pack: Path) -> None:
    long = np.concatenate([clip_of(pack, name).at(SAMPLE_RATE) for name in CLIPS])[: round(23.4 * SAMPLE_RATE)]
    assert len(long) > 2 * CUT.length
    (found,) = Encodec("encodec-24khz-all", "none").embed([Clip(long[None], SAMPLE_RATE)])
    near(found, np.concatenate([theirs(long[start : start + CUT.length]) for start in range(0, len(long), CUT.length)]))


def test_one_frame_in_six_is_one_frame_in_six_across_windows() -> None:
    long = np.random.default_rng(0).normal(0, 0.1, 11 * SAMPLE_RATE + 1).astype(np.float32)
    (sparse,), (whole,) = (
        Encodec(name).embed([Clip(long[None], SAMPLE_RATE)]) for name in ("encodec-24khz", "encodec-24khz-all")
    )
    np.testing.assert_array_equal(sparse, whole[::6])


@pytest.mark.slow
def test_clips_come_out_apart(pack: Path) -> None:
    """What makes the tests above worth something: other sounds are much further than the tolerance."""
    one, two = (
        frames.mean(0) for frames in Encodec("encodec-24khz").embed([clip_of(pack, name) for name in CLIPS[:2]])
    )
    assert np.abs(one - two).max() > 0.05 * np.abs(one).max()


def test_a_batch_of_windows_is_each_window_alone() -> None:
    """As on a GPU, where windows go through the network 32 at a time."""
    network = Encodec("encodec-24khz")._network
    batch = np.random.default_rng(0).normal(0, 0.1, (3, SAMPLE_RATE)).astype(np.float32)
    np.testing.assert_allclose(network(batch), np.concatenate([network(window[None]) for window in batch]), atol=1e-5)


def test_a_weight_norm_has_two_names_and_one_meaning(
    hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Encodec("encodec-24khz").embed([Clip(np.ones((1, 999), np.float32), SAMPLE_RATE)])[0]
    save_encodec(tmp_path / "hub", as_published=False)
    assert (tmp_path / "hub" / "model.safetensors").read_bytes() != (hub / "model.safetensors").read_bytes()
    monkeypatch.setenv("INNEREAR_CACHE", str(tmp_path / "cache"))
    export("encodec-24khz", tmp_path / "hub")
    again = Encodec("encodec-24khz").embed([Clip(np.ones((1, 999), np.float32), SAMPLE_RATE)])[0]
    np.testing.assert_array_equal(found, again)


def test_a_pulled_checkpoint_is_exported_as_one_from_a_folder(
    hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = Encodec("encodec-24khz").signature
    monkeypatch.setenv("INNEREAR_CACHE", str(tmp_path))
    with pytest.raises(
        WeightsUnavailable, match=r"model\.safetensors is not here; `innerear weights pull encodec-24khz`"
    ):
        export("encodec-24khz")
    path = home("encodec-24khz/model.safetensors")
    path.parent.mkdir(parents=True)
    shutil.copy(hub / "model.safetensors", path)
    with pytest.raises(WeightsUnavailable, match="it is damaged or another file"):  # the table pins the published one
        export("encodec-24khz")
    record(path, "random, for tests")
    export("encodec-24khz")
    assert Encodec("encodec-24khz").signature == wanted


def test_another_checkpoint_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is no folder of encodec-24khz; wanted model\.safetensors in it"):
        export("encodec-24khz", tmp_path)
    save_clap(tmp_path / "clap")
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "model.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{")
    for folder in ("clap", "cut"):
        with pytest.raises(WeightsUnavailable, match="is no checkpoint of encodec-24khz") as error:
            export("encodec-24khz", tmp_path / folder)
        assert "\n" not in str(error.value)


def test_the_codec_of_another_rate_is_one_line(tmp_path: Path) -> None:
    stereo = transformers.EncodecConfig(audio_channels=2, sampling_rate=48_000, norm_type="time_group_norm")
    transformers.EncodecModel(stereo).save_pretrained(tmp_path)
    with pytest.raises(WeightsUnavailable, match="is no checkpoint of encodec-24khz: RuntimeError"):
        export("encodec-24khz", tmp_path)
    said = CliRunner().invoke(main, ["doctor", "--parity", str(tmp_path), "--embedder", "encodec-24khz"])
    assert said.exit_code != 0
    assert "is an EnCodec for 48000 Hz; wanted the one for 24000 Hz" in said.output


@pytest.mark.slow
@pytest.mark.parametrize("name", ["encodec-24khz", "encodec-24khz-all"])
def test_doctor_finds_the_network_near_to_its_checkpoint(hub: Path, name: str) -> None:
    said = CliRunner().invoke(main, ["doctor", "--parity", str(hub), "--embedder", name])
    assert said.exit_code == 0, said.output
    assert [line[:4] for line in said.stdout.splitlines()] == ["ok  "] * 2


@pytest.mark.slow
def test_doctor_finds_it_far_from_another(hub: Path, tmp_path: Path) -> None:
    other = transformers.EncodecModel.from_pretrained(hub)
    with torch.no_grad():
        other.encoder.layers[13].lstm.weight_hh_l1.mul_(1.1)
    other.save_pretrained(tmp_path)
    said = CliRunner().invoke(main, ["doctor", "--parity", str(tmp_path), "--embedder", "encodec-24khz"])
    assert said.exit_code == 1
    assert [line[:4] for line in said.stdout.splitlines()] == ["no  "] * 2
