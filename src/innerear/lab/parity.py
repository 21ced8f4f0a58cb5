"""Compare our CLAP and EnCodec with transformers on the same checkpoint: `innerear doctor --parity`.

The tests do this with random weights. This does it with published weights, for users with access to a
hub: it compares the cached networks with the checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from innerear.clip import Clip
from innerear.dsp.mel import slaney_log_mel
from innerear.embed import encodec, open_embedder, reads_captions
from innerear.embed.clap import CUT, HOP_LENGTH, SAMPLE_RATE, Clap, unit
from innerear.embed.windows import repeated
from innerear.errors import UsageError, WeightsUnavailable

WANTED = 1e-4  # between frames of length 1, or of the largest number
WANTED_DB = 1e-3  # between log-mel spectra
CAPTIONS = ("a dog barking", "steady rain falling on a tin roof", "a cello playing C4, slowly", "¿qué?")


@dataclass(frozen=True)
class Parity:
    """The largest difference that was found in one thing, and the largest that is right."""

    what: str
    difference: float
    wanted: float


def parity(folder: Path, name: str) -> Iterator[Parity]:
    """Hold an embedder to transformers' own model, loaded from a folder as on the hub, on made sounds.

    Raises:
        UsageError: transformers has no such embedder, or the folder holds another one.
        WeightsUnavailable: weights or packages are missing.
    """
    if reads_captions(name):
        return _clap(folder, name)
    if name in encodec.EVERY:
        return _encodec(folder, name)
    raise UsageError(f"{name} is no CLAP and no EnCodec; wanted one of the embedders that start with clap- or encodec-")


def _encodec(folder: Path, name: str) -> Iterator[Parity]:
    try:
        import torch

        from innerear.lab.export import load_encodec
    except ImportError as error:
        raise WeightsUnavailable("parity needs torch and transformers: pip install 'innerear[export]'") from error
    ours, theirs = open_embedder(name, "none"), load_encodec(folder).encoder
    rate, length, every = encodec.SAMPLE_RATE, encodec.CUT.length, encodec.EVERY[name]

    def frames(samples: NDArray[np.float32]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = theirs(torch.from_numpy(samples)[None, None])[0].T.numpy()
        return found[::every]

    def pair(samples: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        windows = [samples[start : start + length] for start in range(0, len(samples), length)]
        wanted = np.concatenate([frames(window) for window in windows])
        largest = np.abs(wanted).max()
        return ours.embed([Clip(samples[np.newaxis], rate)])[0] / largest, wanted / largest

    with torch.no_grad():
        *short, long = _sounds(rate)
        yield Parity("sounds of up to 10 s", _worst(list(map(pair, short))), WANTED)
        yield Parity("the windows of a longer sound", _worst([pair(long)]), WANTED)


def _clap(folder: Path, name: str) -> Iterator[Parity]:
    ours = cast(Clap, open_embedder(name, "none"))
    theirs, extractor, tokenizer = _theirs(folder)
    *short, long = _sounds(SAMPLE_RATE)

    def heard(samples: NDArray[np.float32]) -> Any:
        return extractor(samples, sampling_rate=SAMPLE_RATE, return_tensors="pt")["input_features"]

    def frame(samples: NDArray[np.float32]) -> NDArray[np.float32]:
        return unit(theirs.audio_projection(theirs.audio_model(input_features=heard(samples)).pooler_output).numpy())

    import torch

    with torch.no_grad():
        spectra = [
            (slaney_log_mel(repeated(s, CUT.length), SAMPLE_RATE, HOP_LENGTH), heard(s)[0, 0].numpy()) for s in short
        ]
        yield Parity("log-mel, dB", _worst(spectra), WANTED_DB)
        pairs = [(ours.embed([Clip(s[np.newaxis], SAMPLE_RATE)])[0], frame(s)) for s in short]
        yield Parity("sounds of up to 10 s", _worst(pairs), WANTED)
        windows = [long[start : start + CUT.length] for start in (0, CUT.hop, len(long) - CUT.length)]
        found = ours.embed([Clip(long[np.newaxis], SAMPLE_RATE)])[0]
        yield Parity(
            "the windows of a longer sound", _worst([(found, np.concatenate(list(map(frame, windows))))]), WANTED
        )
        batch = tokenizer(list(CAPTIONS), padding="max_length", max_length=77, truncation=True, return_tensors="pt")
        mask = batch["attention_mask"]
        read = theirs.text_model(input_ids=batch["input_ids"], attention_mask=mask).pooler_output
        yield Parity("captions", _worst([(ours.read(CAPTIONS), unit(theirs.text_projection(read).numpy()))]), WANTED)


def _worst(pairs: list[tuple[NDArray[np.float32], NDArray[np.float32]]]) -> float:
    return max(float(np.abs(ours - theirs).max()) for ours, theirs in pairs)


def _theirs(folder: Path) -> tuple[Any, Any, Any]:
    try:
        from transformers import ClapFeatureExtractor, PreTrainedTokenizerFast

        from innerear.lab.export import load_clap
    except ImportError as error:
        raise WeightsUnavailable("parity needs torch and transformers: pip install 'innerear[export]'") from error
    extractor = ClapFeatureExtractor(frequency_min=50, frequency_max=14_000, truncation="rand_trunc")
    open_tokenizer: Any = PreTrainedTokenizerFast
    return (
        load_clap(folder),
        extractor,
        open_tokenizer(tokenizer_file=str(folder / "tokenizer.json"), pad_token="<pad>"),
    )


def _sounds(rate: int) -> list[NDArray[np.float32]]:
    """Noise, a sweep, a click and a tone of many lengths; the last is of 17.3 s."""
    rng = np.random.default_rng(0)
    t = np.arange(10 * rate) / rate
    sounds = [
        rng.normal(0, 0.1, 3 * rate),
        0.5 * np.sin(2 * np.pi * 40 * t * (1 + t * 20)),
        np.eye(1, rate // 10, 100)[0],
        0.1 * np.sin(2 * np.pi * 440 * t[: rate // 3]),
        rng.normal(0, 0.1, round(17.3 * rate)) * np.hanning(round(17.3 * rate)),
    ]
    return [sound.astype(np.float32) for sound in sounds]
