"""`yamnet`: the 1024-d layer and the 521 AudioSet scores of Google's YAMNet, from its LiteRT file.

Windows of 0.975 s (15 600 samples at 16 kHz) every 0.48 s. The embedding is the int8 output of
the layer before the classifier, so a frame is 1024 bytes and two numbers (scale, zero point).
"""

from __future__ import annotations

import os
import tempfile
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from innerear.clip import Clip
from innerear.embed.loudness import LoudnessRule, words
from innerear.embed.weights import fetch
from innerear.embed.windows import Cut, Frames, Samples, Windowed
from innerear.errors import WeightsUnavailable

SAMPLE_RATE = 16_000  # Hz
CUT = Cut(length=15_600, hop=7_680)  # samples
LAYER = "tower0/network/layer28/reduce_mean"


class Yamnet(Windowed):
    """YAMNet on one thread a caller; interpreters are not shared between threads."""

    name = "yamnet"
    dims = 1024
    sample_rate = SAMPLE_RATE
    quantum = 0.022328350692987442  # the scale of the int8 layer, whose zero point is -128
    _cut = CUT

    def __init__(self, loudness: LoudnessRule = "active") -> None:
        try:
            import ai_edge_litert.interpreter  # noqa: F401
        except ImportError as error:
            raise WeightsUnavailable(
                "yamnet needs the package ai-edge-litert: pip install 'innerear[yamnet]'"
            ) from error
        self._weights = fetch("yamnet")["yamnet_classification.tflite"]
        self._loudness = loudness
        self._local = threading.local()
        self.signature = (
            f"yamnet@{self._weights.sha256[:8]}|sr:{SAMPLE_RATE}|win:0.975s|hop:0.48s|pad:zero"
            f"|loud:{words(loudness)}|v:1"
        )

    def embed(self, clips: Sequence[Clip]) -> list[Frames]:
        """The frames of each clip, (frames, 1024)."""
        return [np.ascontiguousarray(self.listen(clip)[0]) for clip in clips]

    def embed_file(self, path: Path) -> Frames:
        """The frames of a file of any length."""
        return np.ascontiguousarray(super().embed_file(path)[:, : self.dims])

    def listen(self, clip: Clip) -> tuple[Frames, NDArray[np.float32]]:
        """The frames, (frames, 1024), and the scores of the 521 AudioSet classes, (frames, 521), in [0, 1]."""
        both = self._frames_of_array(clip.at(SAMPLE_RATE))
        return both[:, : self.dims], both[:, self.dims :]

    def _hear(self, stretch: Samples) -> Frames:
        """Frames and scores side by side."""
        return self._network().hear(stretch)

    def _network(self) -> _Network:
        if not hasattr(self._local, "network"):
            self._local.network = _Network(str(self._weights.path))
        network: _Network = self._local.network
        return network


class _Network:
    """One interpreter."""

    def __init__(self, path: str) -> None:
        from ai_edge_litert.interpreter import Interpreter

        with warnings.catch_warnings(), _without_news():
            warnings.simplefilter("ignore")  # it warns that keeping all tensors takes memory: 30 MB here
            self._interpreter: Any = Interpreter(path, experimental_preserve_all_tensors=True, num_threads=1)
            self._interpreter.allocate_tensors()
        layer = next(t for t in self._interpreter.get_tensor_details() if t["name"] == LAYER)
        self._layer: int = layer["index"]
        self._input: int = self._interpreter.get_input_details()[0]["index"]
        self._output: int = self._interpreter.get_output_details()[0]["index"]

    def hear(self, window: Samples) -> NDArray[np.float32]:
        """The frame and the scores of one window, shape (1, 1024 + 521)."""
        self._interpreter.set_tensor(self._input, window)
        self._interpreter.invoke()
        raw = self._interpreter.get_tensor(self._layer).reshape(-1).astype(np.float32)
        frame = (raw + 128) * np.float32(Yamnet.quantum)
        return np.concatenate([frame, self._interpreter.get_tensor(self._output).reshape(-1)])[np.newaxis]


_NEWS = threading.Lock()


@contextmanager
def _without_news() -> Iterator[None]:
    """Keep back the lines that the runtime's C++ code writes to stderr as news (`INFO:`); others are passed on."""
    with _NEWS, tempfile.TemporaryFile() as held:
        stderr = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            held.seek(0)
            os.write(stderr, b"".join(line for line in held if not line.startswith(b"INFO:")))
            os.close(stderr)
