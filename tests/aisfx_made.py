"""A checkpoint of aiSFX with random weights, as torch would save it, without torch."""

import zipfile
from pathlib import Path

import numpy as np

from innerear.embed.aisfx_network import WIDTHS
from test_checkpoint import PROTO, tensor, word


def save_aisfx(path: Path, seed: int = 0) -> None:
    """Write it; weights are drawn so that a signal goes through."""
    rng = np.random.default_rng(seed)
    tensors: dict[str, np.ndarray] = {}
    inputs = 1
    for block, width in enumerate(WIDTHS, 1):
        for place in (1, 2):
            layer = f"embedding_net.conv_block{block}"
            spread = (2 / (9 * inputs)) ** 0.5
            tensors[f"{layer}.conv{place}.weight"] = rng.normal(0, spread, (width, inputs, 3, 3))
            tensors[f"{layer}.bn{place}.weight"] = rng.uniform(0.5, 1.5, width)
            tensors[f"{layer}.bn{place}.bias"] = rng.normal(0, 0.1, width)
            tensors[f"{layer}.bn{place}.running_mean"] = rng.normal(0, 0.1, width)
            tensors[f"{layer}.bn{place}.running_var"] = rng.uniform(0.5, 1.5, width)
            inputs = width
    path.parent.mkdir(parents=True, exist_ok=True)
    program = PROTO + b"}("
    with zipfile.ZipFile(path, "w") as archive:
        for number, (name, values) in enumerate(tensors.items()):
            strides = tuple(step // 8 for step in values.strides)
            program += word(name) + tensor(values.shape, strides, key=str(number), length=values.size)
            archive.writestr(f"archive/data/{number}", values.astype("<f4").tobytes())
        archive.writestr("archive/data.pkl", program + b"u.")
