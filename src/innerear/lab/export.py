"""Making the ONNX files that embedders run on from published checkpoints: `innerear weights export`.

Needs torch and the rest of the extra `export`, once (aiSFX does not); what it makes needs none of
that. Checkpoints are read as safetensors, with `weights_only` or by `checkpoint`, so that nothing in
them runs.
"""

from __future__ import annotations

import importlib.metadata
import warnings
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from innerear.embed import reads_captions
from innerear.embed.weights import Source, Weights, digest_of, find, home, local, record, write_network
from innerear.errors import UsageError, WeightsUnavailable
from innerear.run.parts import write_whole

FRAMES = 1001  # of CLAP's spectrogram of 10 s
NEEDED = "exporting needs torch, transformers and onnx: pip install 'innerear[export]'"


def export(model: str, folder: Path | None = None) -> list[Weights]:
    """Make the networks of a model, in the cache.

    `folder` holds a checkpoint as its home lays it out: for CLAP config.json, model.safetensors or
    pytorch_model.bin, and tokenizer.json; for other models the file that `pull` fetches, which is
    what they are made of where no folder is named.

    Raises:
        UsageError: the model is not made here, or the folder is not named, or holds no checkpoint.
        WeightsUnavailable: a package is missing, or the checkpoint is not here or is another one.
    """
    if model == "aisfx":  # its checkpoint is read and its network written here
        return [_aisfx(folder)]
    try:
        import onnx  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        raise WeightsUnavailable(NEEDED) from error
    files = find(model)
    if reads_captions(model):
        if folder is None:
            raise UsageError(f"{model} is made of a checkpoint folder; name it with --from")
        return _clap(model, folder)
    made = next((source for source in files if source.exported_from), None)
    if made is None:
        raise UsageError(f"{model} is run as it is published; there is nothing to export")
    return [_network(model, made.file, _checkpoint(model, made, folder))]


def _aisfx(folder: Path | None) -> Weights:
    made = next(source for source in find("aisfx") if source.exported_from)
    return write_network(made, _checkpoint("aisfx", made, folder))


def _checkpoint(model: str, made: Source, folder: Path | None) -> Path:
    checkpoint = next(source for source in find(model) if source.file == made.exported_from)
    if folder:
        path = folder / Path(checkpoint.file).name
        if not path.is_file():
            raise UsageError(f"{folder} is no folder of {model}; wanted {path.name} in it")
        return path
    found = local(checkpoint)
    if found is None:
        raise WeightsUnavailable(f"{checkpoint.file} is not here; `innerear weights pull {model}` fetches it")
    return found.path


def load_clap(folder: Path) -> Any:
    """transformers' ClapModel from a checkpoint folder as on the hub, ready to be called.

    Raises:
        UsageError: the folder holds no whole CLAP without fusion. WeightsUnavailable: no transformers.
    """
    towers = _pretrained("ClapModel", "CLAP", folder, ("config.json", "tokenizer.json"))
    if towers.config.audio_config.enable_fusion:
        raise UsageError(f"{folder} is a CLAP with fusion, which hears random crops; wanted an unfused one")
    return towers


def load_encodec(folder: Path) -> Any:
    """transformers' EncodecModel from a checkpoint folder as on the hub, ready to be called.

    Raises:
        UsageError: the folder holds no whole EnCodec for 24 kHz. WeightsUnavailable: no transformers.
    """
    codec = _pretrained("EncodecModel", "EnCodec", folder, ("config.json",))
    if codec.config.sampling_rate != 24_000:
        raise UsageError(f"{folder} is an EnCodec for {codec.config.sampling_rate} Hz; wanted the one for 24000 Hz")
    return codec


def _pretrained(architecture: str, what: str, folder: Path, files: tuple[str, ...]) -> Any:
    try:
        import transformers
    except ImportError as error:
        raise WeightsUnavailable(NEEDED) from error
    if not all((folder / name).is_file() for name in files):
        raise UsageError(f"{folder} is no checkpoint folder; wanted {', '.join(files)} and the weights")
    load: Any = getattr(transformers, architecture).from_pretrained
    logging: Any = transformers.logging
    loud, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        model, loaded = load(str(folder), local_files_only=True, output_loading_info=True)
    except Exception as error:  # whatever transformers makes of a wrong folder
        raise UsageError(f"{folder} is no {what} checkpoint: {str(error).splitlines()[0][:200]}") from error
    finally:
        logging.set_verbosity(loud)
        if bars:
            logging.enable_progress_bar()
    if missing := sorted(set(loaded["missing_keys"]) & dict(model.named_parameters()).keys()):
        raise UsageError(f"{folder} is no {what} checkpoint: it has no {missing[0]} (and {len(missing) - 1} more)")
    return model.eval()


def _clap(model: str, folder: Path) -> list[Weights]:
    import torch

    from innerear.lab.swin import simplify

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
    hears = _Port("input_features"), _Port("audio_embeds")
    reads = _Port("input_ids", {1: "tokens"}), _Port("text_embeds")
    made = [
        _write(_with(Audio(), towers), f"{model}/audio.onnx", heard, *hears, origin),
        _write(_with(Text(), towers), f"{model}/text.onnx", ids, *reads, origin),
    ]
    write_whole(home(f"{model}/tokenizer.json"), tokens.read_bytes())
    return [*made, record(home(f"{model}/tokenizer.json"), _origin(tokens))]


def _with(wrapper: Any, towers: Any) -> Any:
    wrapper.towers = towers
    return wrapper.eval()


def _origin(path: Path) -> str:
    version = importlib.metadata.version("torch")
    return f"exported with torch {version} from {path.name}, sha256 {digest_of(path, 'sha256')}"


@dataclass(frozen=True)
class _Port:
    """What a network takes or gives: its name, and which axes besides axis 0 (the batch) have any length."""

    name: str
    free: dict[int, str] = field(default_factory=dict)


def _write(network: Any, file: str, example: Any, takes: _Port, gives: _Port, origin: str) -> Weights:
    import torch

    path = home(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".unfinished")
    axes = {port.name: {0: "batch", **port.free} for port in (takes, gives)}
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # the exporter's own, on its age and on shapes that are fixed here
        torch.onnx.export(
            network, (example,), str(unfinished), input_names=[takes.name], output_names=[gives.name],
            dynamic_axes=axes, opset_version=17, dynamo=False,
        )  # fmt: skip
    unfinished.replace(path)
    return record(path, origin)


def _network(model: str, file: str, checkpoint: Path) -> Weights:
    """Export a network that is built here, with the weights of a checkpoint."""
    import torch

    build, shape, takes, gives = {
        "vggish": (_vggish, (2, 1, 96, 64), _Port("log_mel"), _Port("embedding")),
        "panns-cnn14": (_cnn14, (2, 1, 96, 64), _Port("log_mel", {2: "frames"}), _Port("embedding")),
        "encodec-24khz": (_seanet, (2, 4_801), _Port("samples", {1: "samples"}), _Port("embedding", {1: "frames"})),
    }[model]
    network = build()
    try:
        state = _state(checkpoint)
        network.load_state_dict({name: state[name] for name in network.state_dict()})
    except Exception as error:  # a pickle that is not one, a key that is not there, a shape that differs
        line = str(error).strip().splitlines()[0][:200]
        raise WeightsUnavailable(f"{checkpoint} is no checkpoint of {model}: {type(error).__name__} {line}") from error
    return _write(network.eval(), file, torch.zeros(shape), takes, gives, _origin(checkpoint))


def _state(checkpoint: Path) -> dict[str, Any]:
    """Weights by name, those of a weight norm multiplied out: each output channel is its direction times its length."""
    import torch

    if checkpoint.suffix != ".safetensors":
        held: dict[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=True)
        inner: dict[str, Any] = held.get("model", held)
        return inner
    from safetensors.torch import load_file

    state: dict[str, Any] = load_file(checkpoint)
    for length, direction in (
        ("weight_g", "weight_v"),
        ("parametrizations.weight.original0", "parametrizations.weight.original1"),
    ):
        for name in [name for name in state if name.endswith(length)]:
            layer = name.removesuffix(length)
            along = state[layer + direction]
            state[f"{layer}weight"] = along * (state[name] / along.norm(dim=(1, 2), keepdim=True))
    return state


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


def _seanet() -> Any:
    """EnCodec's encoder at 24 kHz; takes (batch, samples) of at least 320, gives (batch, frames, 128).

    Layer sizes from Défossez et al., arXiv 2210.13438, section 3.1; names of weights as in
    facebook/encodec_24khz. Each layer sees what was before, mirrored at the start (zeros where there
    is not enough), and at the end mirrors up to its stride.
    """
    import torch
    from torch import nn

    class Conv(nn.Module):
        def __init__(self, inputs: int, outputs: int, width: int, stride: int = 1) -> None:
            super().__init__()
            self.conv = nn.Conv1d(inputs, outputs, width, stride)
            self.before, self.stride = width - stride, stride

        def forward(self, heard: Any) -> Any:
            parts = [heard]
            if self.before:
                start = nn.functional.pad(heard[..., 1 : self.before + 1], (0, self.before))[..., : self.before]
                parts = [start.flip(-1), heard]
            if self.stride > 1:
                length = heard.shape[-1]
                missing = (self.stride - length % self.stride) % self.stride
                parts.append(heard[..., length - 1 - missing : length - 1].flip(-1))
            return self.conv(torch.cat(parts, -1))

    class Block(nn.Module):
        def __init__(self, width: int) -> None:
            super().__init__()
            self.block = nn.Sequential(nn.ELU(), Conv(width, width // 2, 3), nn.ELU(), Conv(width // 2, width, 1))
            self.shortcut = Conv(width, width, 1)

        def forward(self, heard: Any) -> Any:
            return self.shortcut(heard) + self.block(heard)

    class Memory(nn.Module):
        def __init__(self, width: int) -> None:
            super().__init__()
            self.lstm = nn.LSTM(width, width, num_layers=2)

        def forward(self, heard: Any) -> Any:
            steps = heard.permute(2, 0, 1)
            return (self.lstm(steps)[0] + steps).permute(1, 2, 0)

    layers: list[Any] = [Conv(1, 32, 7)]
    width = 32
    for stride in (2, 4, 5, 8):
        layers += [Block(width), nn.ELU(), Conv(width, 2 * width, 2 * stride, stride)]
        width *= 2
    layers += [Memory(width), nn.ELU(), Conv(width, 128, 7)]

    class Encoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = nn.ModuleDict({"layers": nn.Sequential(*layers)})

        def forward(self, samples: Any) -> Any:
            return self.encoder["layers"](samples[:, None]).transpose(1, 2)

    return Encoder()
