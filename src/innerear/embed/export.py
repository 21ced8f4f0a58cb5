"""Making the ONNX files that embedders run on from published checkpoints: `innerear models export`.

Needs torch, and for CLAP also transformers, once; what it makes needs neither. Checkpoints are
read as safetensors or with `weights_only`, so that nothing in them runs.
"""

from __future__ import annotations

import importlib.metadata
import warnings
from collections import OrderedDict
from pathlib import Path
from typing import Any

from innerear.embed.weights import Weights, digest_of, find, home, local, record
from innerear.errors import UsageError, WeightsUnavailable
from innerear.parts import write_whole

FRAMES = 1001  # of CLAP's spectrogram of 10 s
NEEDED = "exporting needs torch, transformers and onnx: pip install 'innerear[export]'"


def export(model: str, folder: Path | None = None) -> list[Weights]:
    """Make the networks of a model, in the cache.

    `folder` holds a CLAP checkpoint as the hub lays it out (config.json, model.safetensors or
    pytorch_model.bin, tokenizer.json); other models are made of the checkpoint that `pull` fetched.

    Raises:
        UsageError: the model is not made here, or the folder is not named or is no checkpoint.
        WeightsUnavailable: a package is missing, or the checkpoint is not here or is another one.
    """
    try:
        import onnx  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        raise WeightsUnavailable(NEEDED) from error
    files = find(model)
    if model.startswith("clap-laion"):
        if folder is None:
            raise UsageError(f"{model} is made of a checkpoint folder; name it with --from")
        return _clap(model, folder)
    made = next((source for source in files if source.exported_from), None)
    if made is None:
        raise UsageError(f"{model} is run as it is published; there is nothing to export")
    checkpoint = next(source for source in files if source.file == made.exported_from)
    found = local(checkpoint)
    if found is None:
        raise WeightsUnavailable(f"{checkpoint.file} is not here; `innerear models pull {model}` fetches it")
    return [_write(_loaded(model, found.path), made.file, _log_mel(), "log_mel", "embedding", _origin(found.path))]


def load_clap(folder: Path) -> Any:
    """transformers' ClapModel from a checkpoint folder as on the hub, ready to be called.

    Raises:
        UsageError: the folder holds no whole CLAP without fusion. WeightsUnavailable: no transformers.
    """
    try:
        import transformers
    except ImportError as error:
        raise WeightsUnavailable(NEEDED) from error
    if not all((folder / name).is_file() for name in ("config.json", "tokenizer.json")):
        raise UsageError(f"{folder} is no checkpoint folder; wanted config.json, tokenizer.json and the weights")
    load: Any = transformers.ClapModel.from_pretrained
    logging: Any = transformers.logging
    loud, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        towers, loaded = load(str(folder), local_files_only=True, output_loading_info=True)
    except Exception as error:  # whatever transformers makes of a wrong folder
        raise UsageError(f"{folder} is no CLAP checkpoint: {str(error).splitlines()[0][:200]}") from error
    finally:
        logging.set_verbosity(loud)
        if bars:
            logging.enable_progress_bar()
    if missing := sorted(set(loaded["missing_keys"]) & dict(towers.named_parameters()).keys()):
        raise UsageError(f"{folder} is no CLAP checkpoint: it has no {missing[0]} (and {len(missing) - 1} more)")
    if towers.config.audio_config.enable_fusion:
        raise UsageError(f"{folder} is a CLAP with fusion, which hears random crops; wanted an unfused one")
    return towers.eval()


def _clap(model: str, folder: Path) -> list[Weights]:
    import torch

    from innerear.embed.swin import simplify

    towers = load_clap(folder)
    with torch.inference_mode():
        simplify(towers.audio_model.audio_encoder, FRAMES)
    tokens = folder / "tokenizer.json"

    class Audio(torch.nn.Module):
        def forward(self, heard: Any) -> Any:
            return towers.audio_projection(towers.audio_model(input_features=heard).pooler_output)

    class Text(torch.nn.Module):
        def forward(self, ids: Any) -> Any:
            return towers.text_projection(towers.text_model(input_ids=ids).pooler_output)

    weights = next(path for name in ("model.safetensors", "pytorch_model.bin") if (path := folder / name).is_file())
    origin = _origin(weights)
    heard, ids = torch.zeros(2, 1, FRAMES, 64), torch.full((2, 9), 5)
    made = [
        _write(_with(Audio(), towers), f"{model}/audio.onnx", heard, "input_features", "audio_embeds", origin),
        _write(_with(Text(), towers), f"{model}/text.onnx", ids, "input_ids", "text_embeds", origin),
    ]
    write_whole(home(f"{model}/tokenizer.json"), tokens.read_bytes())
    return [*made, record(home(f"{model}/tokenizer.json"), _origin(tokens))]


def _with(wrapper: Any, towers: Any) -> Any:
    wrapper.towers = towers
    return wrapper.eval()


def _origin(path: Path) -> str:
    version = importlib.metadata.version("torch")
    return f"exported with torch {version} from {path.name}, sha256 {digest_of(path, 'sha256')}"


def _log_mel() -> Any:
    import torch

    return torch.zeros(2, 1, 96, 64)


def _write(network: Any, file: str, example: Any, takes: str, gives: str, origin: str) -> Weights:
    """Export a network whose axis 0 is the batch and whose axis before the last may have any length."""
    import torch

    path = home(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".unfinished")
    axes: dict[int, str] = {0: "batch"}
    if takes == "input_ids":
        axes[1] = "tokens"
    elif file.startswith("panns"):
        axes[2] = "frames"
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # the exporter's own, on its age and on shapes that are fixed here
        torch.onnx.export(
            network, (example,), str(unfinished), input_names=[takes], output_names=[gives],
            dynamic_axes={takes: axes, gives: {0: "batch"}}, opset_version=17, dynamo=False,
        )  # fmt: skip
    unfinished.replace(path)
    return record(path, origin)


def _loaded(model: str, path: Path) -> Any:
    """The network of a model with the weights of a checkpoint."""
    import torch

    network = {"vggish": _vggish, "panns-cnn14": _cnn14}[model]()
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        state = state.get("model", state)
        wanted = network.state_dict()
        network.load_state_dict({name: state[name] for name in wanted})
    except Exception as error:  # a pickle that is not one, a key that is not there, a shape that differs
        line = str(error).strip().splitlines()[0][:200]
        raise WeightsUnavailable(f"{path} is no checkpoint of {model}: {type(error).__name__} {line}") from error
    return network.eval()


def _vggish() -> Any:
    """VGGish up to its embedding, before the last activation; takes (batch, 1, 96, 64).

    Layer sizes from Hershey et al., arXiv 1609.09430, and tensorflow/models vggish_slim.py; names
    of weights as in the checkpoint of harritaylor/torchvggish.
    """
    from torch import nn

    layers: list[Any] = []
    channels = 1
    for width, count in ((64, 1), (128, 1), (256, 2), (512, 2)):
        for _ in range(count):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
            channels = width
        layers.append(nn.MaxPool2d(2))
    dense = [nn.Linear(512 * 4 * 6, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, 128)]

    class Vggish(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features = nn.Sequential(*layers)
            self.embeddings = nn.Sequential(*dense)

        def forward(self, log_mel: Any) -> Any:
            found = self.features(log_mel).permute(0, 2, 3, 1)  # TensorFlow's order: channels last
            return self.embeddings(found.flatten(1))

    return Vggish()


def _cnn14() -> Any:
    """CNN14 up to its 2048 numbers; takes (batch, 1, frames, 64).

    Layer sizes from Kong et al., arXiv 1912.10211, table 1; names of weights as in the checkpoint of
    qiuqiangkong/audioset_tagging_cnn.
    """
    from torch import nn

    def block(inputs: int, outputs: int) -> Any:
        return nn.ModuleDict(
            OrderedDict(
                conv1=nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
                conv2=nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
                bn1=nn.BatchNorm2d(outputs),
                bn2=nn.BatchNorm2d(outputs),
            )
        )

    class Cnn14(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bn0 = nn.BatchNorm2d(64)  # over bands
            widths = (1, 64, 128, 256, 512, 1024, 2048)
            for place in range(6):
                setattr(self, f"conv_block{place + 1}", block(widths[place], widths[place + 1]))
            self.fc1 = nn.Linear(2048, 2048)

        def forward(self, log_mel: Any) -> Any:
            found = self.bn0(log_mel.transpose(1, 3)).transpose(1, 3)
            for place in range(1, 7):
                layers = getattr(self, f"conv_block{place}")
                found = layers["bn1"](layers["conv1"](found)).relu()
                found = layers["bn2"](layers["conv2"](found)).relu()
                if place < 6:
                    found = nn.functional.avg_pool2d(found, 2)
            found = found.mean(3)  # over bands
            return self.fc1(found.amax(2) + found.mean(2)).relu()

    return Cnn14()
