"""Files that are no network, or another one: one line that names the file and says what to do."""

from pathlib import Path

import numpy as np
import pytest

from innerear.embed.network import Network
from innerear.embed.weights import Weights
from innerear.errors import WeightsUnavailable

pytest.importorskip("onnxruntime", reason="the extra `clap` is not installed")


def weights(path: Path) -> Weights:
    return Weights(path, "0" * 64, "for tests")


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", bytes(1000)], ids=["empty", "a web page", "zeros"])
def test_a_file_that_is_no_network_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "audio.onnx"
    path.write_bytes(content)
    with pytest.raises(WeightsUnavailable, match=r"audio\.onnx (cannot be run|is another network)") as error:
        Network(weights(path), "input_features", "audio_embeds")
    assert "\n" not in str(error.value)


def test_a_truncated_network_is_one_line(pack: Path, tmp_path: Path) -> None:
    path = tmp_path / "audio.onnx"
    path.write_bytes((pack / "models" / "crepe_tiny.onnx").read_bytes()[:100_000])
    with pytest.raises(WeightsUnavailable, match=r"audio\.onnx cannot be run .*; remove it, then pull it again"):
        Network(weights(path), "input_features", "audio_embeds")


def test_another_network_is_one_line_with_what_it_takes(pack: Path) -> None:
    with pytest.raises(WeightsUnavailable, match=r"crepe_tiny\.onnx is another network: it takes .*wanted 'log_mel'"):
        Network(weights(pack / "models" / "crepe_tiny.onnx"), "log_mel", "embedding")


def test_one_network_may_be_called_from_many_threads(pack: Path) -> None:
    import onnxruntime

    from innerear.compute.threads import ordered

    session = onnxruntime.InferenceSession(str(pack / "models" / "crepe_tiny.onnx"))
    takes, gives = session.get_inputs()[0].name, session.get_outputs()[0].name
    network = Network(weights(pack / "models" / "crepe_tiny.onnx"), takes, gives)
    batches = [np.random.default_rng(i).normal(0, 1, (2, 1024)).astype(np.float32) for i in range(24)]
    together = list(ordered(network, batches, threads=8))
    for batch, found in zip(batches, together, strict=True):
        np.testing.assert_array_equal(network(batch), found)
