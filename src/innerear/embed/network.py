"""One ONNX network, run on a GPU where ONNX Runtime has one, else on one thread of the processor a caller.

Small batches are best for a core, and threads belong to the callers: many clips at a time keep
all cores at work, one network on many threads does not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from innerear.embed.loudness import LoudnessRule, words
from innerear.embed.weights import Weights, fetch
from innerear.embed.windows import Windowed
from innerear.errors import WeightsUnavailable


class Network:
    """A network of one input and one output of shape (batch, ..., dims). May be called from many threads at once."""

    def __init__(self, weights: Weights, takes: str, gives: str) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise WeightsUnavailable(
                f"{weights.path.name} needs the package onnxruntime: pip install 'innerear[clap]'"
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        there = onnxruntime.get_available_providers()
        on_gpu = "CUDAExecutionProvider" in there
        providers: list[Any] = [("CUDAExecutionProvider", {"use_tf32": 0})] if on_gpu else []
        try:
            self._session: Any = onnxruntime.InferenceSession(
                str(weights.path), options, providers=[*providers, "CPUExecutionProvider"]
            )
            inputs = [node.name for node in self._session.get_inputs()]
            outputs = {node.name: node.shape for node in self._session.get_outputs()}
        except Exception as error:  # the runtime has no error class of its own that can be imported
            raise WeightsUnavailable(
                f"{weights.path} cannot be run ({str(error).splitlines()[0][:200]}); remove it, then pull it again"
            ) from error
        if inputs != [takes] or gives not in outputs or not isinstance(outputs[gives][-1], int):
            raise WeightsUnavailable(
                f"{weights.path} is another network: it takes {inputs} and gives {list(outputs)}, "
                f"wanted {takes!r} and {gives!r} of a fixed width"
            )
        self._takes, self._gives = takes, gives
        self.dims: int = outputs[gives][-1]
        self.batch = 32 if on_gpu else 1  # the size of batch that it is fastest with

    def __call__(self, batch: NDArray[Any]) -> NDArray[np.float32]:
        """The outputs for a batch, shape (batch, ..., dims)."""
        found: NDArray[np.float32] = self._session.run([self._gives], {self._takes: batch})[0]
        return found


class NetworkEmbedder(Windowed):
    """An embedder that runs one ONNX network, whose output is named `embedding`."""

    name: str

    def _open(self, weights: str, takes: str, how: str, loudness: LoudnessRule) -> None:
        """Open `network.onnx` of the model `weights`, whose input is `takes`.

        `how`: the part of the signature between the sample rate and the loudness rule.
        """
        file = fetch(weights)["network.onnx"]
        self._loudness = loudness
        self._network = Network(file, takes, "embedding")
        self._most = self._network.batch
        self.signature = f"{self.name}@{file.sha256[:8]}|sr:{self.sample_rate}|{how}|loud:{words(loudness)}|v:1"
