"""What is said, by a listener that is told nothing of the texts: Whisper, and its word error rate.

Whisper base.en (A. Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", ICML
2023; MIT), as converted for CTranslate2 by Systran. It stands beside the forced choice of
`innerear.metrics.words` and is never averaged with it. Greedy at temperature 0, without timestamps, no
earlier text as a prompt, windows of 30 s, one thread a sound.

Whisper makes up sentences for sounds that are no speech, so Silero VAD stands before it: where no
voice is heard there are no words, and the rate is 1.
"""

from __future__ import annotations

import functools
import os
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from innerear.checks import Transcript
from innerear.clip import Clip
from innerear.dsp.mel import hann, slaney_filters, spectrum
from innerear.embed.weights import fetch
from innerear.errors import WeightsUnavailable
from innerear.metrics.measure import UNAVAILABLE, Sound, SoundMetric, Value
from innerear.metrics.silero import SHORTEST_S, spoken_s
from innerear.metrics.words import words
from innerear.records import Probe

MODEL = "whisper-base.en"
SAMPLE_RATE, N_FFT, HOP_LENGTH, BANDS = 16_000, 400, 160, 80
WINDOW = 30 * SAMPLE_RATE  # samples
START, PLAIN = "<|startoftranscript|>", "<|notimestamps|>"
MOST_TOKENS = 224  # of a window: half of the decoder's context, as in the original
NUMERALS = {
    "0": "zero", "1": "one", "2": "two", "3": "three", "4": "four",
    "5": "five", "6": "six", "7": "seven", "8": "eight", "9": "nine",
}  # fmt: skip


def spelled(text: str) -> str:
    """A text as it is compared: lower case, no punctuation, lone numerals as words.

    >>> spelled("It’s 7, really!")
    "it's seven really"
    """
    return " ".join(NUMERALS.get(word, word) for word in words(text.replace("’", "'")).split())


def log_mel(window: NDArray[np.float32]) -> NDArray[np.float32]:
    """What Whisper hears of 30 s at 16 kHz: (80 bands, 3000 frames), about -1 to 1.

    The logarithm of power in Slaney's bands from 0 to 8 kHz, at most 80 dB below the loudest.
    """
    found = spectrum(np.pad(window, N_FFT // 2, mode="reflect"), hann(N_FFT), N_FFT, HOP_LENGTH)[:-1]
    power = (found.real**2 + found.imag**2) @ slaney_filters(SAMPLE_RATE, N_FFT, BANDS, 0.0, SAMPLE_RATE / 2)
    level = np.log10(np.maximum(power, 1e-10))
    return np.ascontiguousarray((np.maximum(level, level.max() - 8) + 4).T / 4, dtype=np.float32)


@dataclass(frozen=True)
class _Whisper:
    network: Any
    tokenizer: Any
    prompt: list[int]
    sha256: str


_opening = threading.Lock()


def _opened() -> _Whisper:
    """The network and its tokenizer, opened once a process, whichever of its threads is the first.

    Raises:
        WeightsUnavailable: files or packages are missing, or they are those of another network.
    """
    with _opening:
        return _open()


@functools.cache
def _open() -> _Whisper:
    """The network and its tokenizer.

    Raises:
        WeightsUnavailable: files or packages are missing, or they are those of another network.
    """
    files = fetch(MODEL)
    try:
        import ctranslate2
        import jiwer  # noqa: F401  without it nothing that is heard could be judged
        import tokenizers
    except ImportError as error:
        raise WeightsUnavailable(f"Whisper needs the package {error.name}: pip install 'innerear[whisper]'") from error
    folder = files["model.bin"].path.parent
    again = f"remove {folder}, then `innerear weights pull {MODEL}`"
    try:
        network = ctranslate2.models.Whisper(
            str(folder), compute_type="float32", inter_threads=os.cpu_count() or 1, intra_threads=1,
            files={name: file.path.read_bytes() for name, file in files.items()},
        )  # fmt: skip
        tokenizer = tokenizers.Tokenizer.from_file(str(files["tokenizer.json"].path))
    except Exception as error:  # neither package has an error class of its own
        raise WeightsUnavailable(f"{folder} cannot be run ({str(error).splitlines()[0][:200]}); {again}") from error
    prompt = [tokenizer.token_to_id(token) for token in (START, PLAIN)]
    known = [token for token in prompt if token is not None]
    if network.is_multilingual or network.n_mels != BANDS or known != prompt:
        languages = "several languages" if network.is_multilingual else "English alone"
        raise WeightsUnavailable(
            f"{folder} is another network: {languages}, {network.n_mels} bands, {START} and {PLAIN} are tokens "
            f"{prompt}; wanted English alone, {BANDS} bands, and both tokens; {again}"
        )
    return _Whisper(network, tokenizer, known, files["model.bin"].sha256)


def tokens(clip: Clip) -> list[list[int]]:
    """The tokens that are heard, for each window of 30 s; nothing stands before Whisper here.

    Raises:
        WeightsUnavailable: Whisper cannot be had here.
    """
    import ctranslate2

    whisper = _opened()
    samples = clip.at(SAMPLE_RATE)
    found = []
    for start in range(0, max(1, len(samples)), WINDOW):
        window = samples[start : start + WINDOW]
        heard = log_mel(np.pad(window, (0, WINDOW - len(window))))
        (result,) = whisper.network.generate(
            ctranslate2.StorageView.from_array(heard[None]), [whisper.prompt],
            beam_size=1, sampling_topk=1, max_length=2 * MOST_TOKENS,  # of which it generates half
        )  # fmt: skip
        found.append(list(result.sequences_ids[0]))
    return found


def transcribe(clip: Clip) -> str:
    """What Whisper writes; nothing stands before it here.

    Raises:
        WeightsUnavailable: Whisper cannot be had here.
    """
    heard = [_opened().tokenizer.decode(ids, skip_special_tokens=True).strip() for ids in tokens(clip)]
    return " ".join(filter(None, heard))


class WhisperWer(SoundMetric):
    """Word error rate of Whisper on the text asked for, at most 1; for probes that ask for a text.

    Substitutions, deletions and insertions over the words asked for (jiwer), both texts in lower case
    and without punctuation. 1 where Silero VAD hears no voice. It judges nothing: `passed` is `None`.
    """

    name, version, unit = "whisper_wer", 1, "WER"

    def applies(self, probe: Probe) -> bool:
        """Where a text is asked for."""
        return any(isinstance(check, Transcript) for check in probe.expect)

    def measure(self, sound: Sound) -> Value:
        """The detail holds what was heard, what the gate says, and the rate before it was cut at 1."""
        assert sound.clip is not None
        try:
            weights = _opened().sha256
            spoken = spoken_s(sound.clip)
            gate = {"by": "Silero VAD", "spoken_s": spoken, "voice": spoken >= SHORTEST_S}
            heard = transcribe(sound.clip) if gate["voice"] else ""
        except WeightsUnavailable as error:
            return Value(None, None, f"{UNAVAILABLE}: {error}")
        wanted = " ".join(check.text for check in sound.probe.expect if isinstance(check, Transcript))
        rate = error_rate(wanted, heard)
        detail = {"heard": heard, "listener": "whisper", "gate": gate, "uncapped": rate, "weights": weights[:8]}
        return Value(min(1.0, rate), None, "" if gate["voice"] else "no voice", detail)


def error_rate(wanted: str, heard: str) -> float:
    """The word error rate, which is above 1 where more is heard than was asked for."""
    import jiwer

    return float(jiwer.wer(spelled(wanted), spelled(heard)))
