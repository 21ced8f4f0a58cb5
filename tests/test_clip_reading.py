"""Reading audio: every format, every width, the same samples by every way, and what is refused."""

import io
import tracemalloc

import numpy as np
import pytest
import soundfile

from innerear import clip as clip_module
from innerear.clip import Clip, read, read_mono
from innerear.distance.folders import embed
from innerear.errors import AudioError

FORMATS = [
    ("WAV", "PCM_16"), ("WAV", "PCM_24"), ("WAV", "PCM_U8"), ("WAV", "FLOAT"), ("FLAC", "PCM_16"), ("FLAC", "PCM_24"),
    ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III"),
]  # fmt: skip


def noise(seconds, channels=1, sample_rate=44_100, seed=0):
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (round(seconds * sample_rate), channels)).astype(np.float32)


def stored(samples, sample_rate=44_100, kind="WAV", subtype="PCM_16", endian=None):
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, sample_rate, format=kind, subtype=subtype, endian=endian)
    return buffer.getvalue()


@pytest.mark.parametrize(("kind", "subtype"), FORMATS)
def test_every_format_gives_the_decoders_own_samples(kind, subtype):
    sample_rate = 48_000 if subtype == "OPUS" else 44_100
    data = stored(noise(0.7, 2, sample_rate), sample_rate, kind, subtype)
    expected, _ = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    found = read(io.BytesIO(data))
    np.testing.assert_array_equal(found.samples, expected.T)
    assert found.samples.flags.c_contiguous
    assert found.sample_rate == sample_rate


@pytest.mark.parametrize("sample_rate", [8_000, 22_050, 44_100, 16_000])
@pytest.mark.parametrize("channels", [1, 2, 3, 8])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_reading_mono_gives_the_samples_of_reading_all(sample_rate, channels, subtype):
    data = stored(noise(0.3, channels, sample_rate), sample_rate, subtype=subtype)
    slow = read(io.BytesIO(data)).at(16_000)
    fast = read_mono(io.BytesIO(data), 16_000)
    np.testing.assert_array_equal(fast.samples[0], slow)
    assert (fast.sample_rate, fast.samples.dtype) == (16_000, np.float32)


@pytest.mark.parametrize("sample_rate", [16_000, 44_100])
def test_a_long_file_in_blocks_is_the_file_in_one(monkeypatch, sample_rate):
    data = stored(noise(2, 2, sample_rate), sample_rate, "FLAC")
    whole = read_mono(io.BytesIO(data), 16_000).samples
    monkeypatch.setattr(clip_module, "_BLOCK", 1000)
    np.testing.assert_array_equal(read_mono(io.BytesIO(data), 16_000).samples, whole)
    np.testing.assert_array_equal(read(io.BytesIO(data)).at(16_000), whole[0])


def test_a_long_file_takes_the_memory_of_its_result(tmp_path):
    """Five minutes at 44.1 kHz in stereo are 106 MB as float32; at 8 kHz in mono 10 MB."""
    with soundfile.SoundFile(tmp_path / "long.wav", "w", 44_100, 2, "PCM_16") as file:
        for _ in range(5):
            file.write(np.zeros((60 * 44_100, 2), dtype=np.int16))
    tracemalloc.start()
    found = read_mono(tmp_path / "long.wav", 8_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.duration_s == 300
    assert peak < 45e6


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(AudioError, match=r"gone\.wav cannot be read"):
        read(tmp_path / "gone.wav")


@pytest.mark.parametrize("reader", [read, lambda source: read_mono(source, 16_000)], ids=["read", "read_mono"])
@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "cannot be read"),
        (b"RIFF\x00\x00\x00\x00WAVE", "cannot be read"),
        (stored(noise(0)), "no samples"),
        (stored(noise(3), kind="FLAC")[:60_000], "cannot be read"),
        (stored(noise(3), kind="MP3", subtype=None)[:20_000], "cut off"),
        (stored(noise(3))[:200_000], "cut off: its header promises 264600 bytes of samples, it holds 199956"),
        (stored(noise(3), endian="BIG")[:200_000], "cut off"),
        (stored(noise(3), kind="WAVEX", subtype="PCM_24")[:200_000], "cut off"),
        (stored(noise(3), kind="AIFF")[:200_000], "cut off"),
        (stored(np.array([[0.1], [np.nan]]), subtype="FLOAT"), "NaN"),
        (stored(np.array([[0.1], [np.inf]]), subtype="FLOAT"), "NaN or infinity"),
        (stored(noise(0.1, 9)), "9 channels"),
    ],
    # names, since a float WAV holds the second of its making, which two test workers need not share
    ids=[
        "nothing",
        "a bare header",
        "no samples",
        "cut FLAC",
        "cut MP3",
        "cut WAV",
        "cut RIFX",
        "cut extensible",
        "cut AIFF",
        "NaN",
        "infinity",
        "9 channels",
    ],
)
def test_what_is_no_usable_audio_is_refused_in_one_line(reader, data, said):
    with pytest.raises(AudioError, match=said) as caught:
        reader(io.BytesIO(data))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("size", [0xFFFF_FFFF, 0x7FFF_F024])
def test_a_stream_of_unknown_length_is_read_to_its_end(size):
    data = bytearray(stored(noise(0.1)))
    data[40:44] = size.to_bytes(4, "little")
    assert read(io.BytesIO(data)).duration_s == 0.1


def test_a_folder_with_a_cut_off_file_is_refused_by_its_name_or_goes_without_it(tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.wav").write_bytes(stored(noise(1, seed=number)))
    (tmp_path / "half.wav").write_bytes(stored(noise(1))[:40_000])
    with pytest.raises(AudioError, match=r"half\.wav is cut off: .*--skip-bad"):
        embed(tmp_path, "mel")
    assert embed(tmp_path, "mel", skip_bad=True).skipped == ["half.wav"]


def test_ten_milliseconds_are_audio():
    assert read_mono(io.BytesIO(stored(noise(0.01))), 16_000).samples.shape == (1, 160)


def test_a_clip_says_its_length_in_seconds():
    assert Clip(np.zeros((2, 4000), dtype=np.float32), 8000).duration_s == 0.5


def test_the_jail_and_the_host_agree_on_sizes_that_say_nothing():
    from innerear.jail.inside import wav

    assert clip_module.UNKNOWN_LENGTH == wav.UNKNOWN_LENGTH
