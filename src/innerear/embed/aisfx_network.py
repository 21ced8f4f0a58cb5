"""Write the network of aiSFX as an ONNX file, from its checkpoint."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from innerear.embed.checkpoint import read_tensors
from innerear.embed.onnx_file import Node, onnx_file
from innerear.errors import WeightsUnavailable

BANDS = 96
SPECTRA = 100  # of a window
WIDTHS = (64, 128, 256, 512)


def network(checkpoint: Path) -> bytes:
    """The ONNX file of the network, with the weights of its checkpoint; takes (batch, 1, 100, 96).

    Four blocks of two convolutions, each with batch normalisation; the largest of four neighbours after
    the first three; then the mean over bands and the largest over time.

    Raises:
        WeightsUnavailable: it is another checkpoint.
    """
    tensors = read_tensors(checkpoint)
    weights: dict[str, NDArray[np.float32]] = {}
    nodes: list[Node] = []
    inputs, last = 1, "spectra"

    def weight(name: str, shape: tuple[int, ...]) -> str:
        tensor = tensors.get(f"embedding_net.{name}")
        if tensor is None or tensor.shape != shape or tensor.dtype != np.float32 or not np.isfinite(tensor).all():
            raise WeightsUnavailable(f"{checkpoint} is not a checkpoint of aiSFX: it has no {name} of shape {shape}")
        weights[name] = tensor
        return name

    for block, width in enumerate(WIDTHS, 1):
        for place in (1, 2):
            name, norm = f"conv_block{block}.conv{place}", f"conv_block{block}.bn{place}"
            kernel = weight(f"{name}.weight", (width, inputs, 3, 3))
            numbers = [weight(f"{norm}.{part}", (width,)) for part in ("weight", "bias", "running_mean", "running_var")]
            nodes += [
                Node("Conv", [last, kernel], name, {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}),
                Node("BatchNormalization", [name, *numbers], norm),
                Node("Relu", [norm], f"{norm}.relu"),
            ]
            inputs, last = width, f"{norm}.relu"
        if block < len(WIDTHS):
            nodes.append(Node("MaxPool", [last], f"pool{block}", {"kernel_shape": [2, 2], "strides": [2, 2]}))
            last = f"pool{block}"
    nodes += [
        Node("ReduceMean", [last], "over_bands", {"axes": [3], "keepdims": 0}),
        Node("ReduceMax", ["over_bands"], "embedding", {"axes": [2], "keepdims": 0}),
    ]
    return onnx_file(nodes, weights, ("spectra", (1, SPECTRA, BANDS)), ("embedding", (WIDTHS[-1],)))
