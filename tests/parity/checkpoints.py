"""Checkpoints with random weights, laid out as the published ones are: no hub is needed to hold our path to others'.

The weights keep each layer's scale and the batch norms have the statistics of decibels, so that
clips come out apart; left as initialised, all clips would come out nearly the same, and near would prove little.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SMALL_AUDIO = {
    "patch_embeds_hidden_size": 24,
    "hidden_size": 192,
    "depths": [2, 1, 1, 1],  # the second block shifts its windows
    "num_attention_heads": [1, 2, 4, 8],
}
LARGER_AUDIO = {  # of laion/larger_clap_general and larger_clap_music_and_speech: HTSAT-base
    "patch_embeds_hidden_size": 128,
    "hidden_size": 1024,
    "depths": [2, 2, 12, 2],
    "num_attention_heads": [4, 8, 16, 32],
}
SMALL_TEXT = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}


def scatter(network: Any, seed: int = 0) -> Any:
    """Random weights of variance 2 / inputs, small random biases, statistics of decibels in the batch norm of bands."""
    import torch

    torch.manual_seed(seed)
    with torch.no_grad():
        for name, values in network.named_parameters():
            if values.ndim >= 2 and "position_bias" not in name:
                values.normal_(0, (2 / values[0].numel()) ** 0.5)
            elif name.endswith("bias"):
                values.normal_(0, 0.1)
        for name, values in network.named_buffers():
            if name.endswith("running_mean"):
                values.normal_(0, 0.1)
            if name.endswith("running_var"):
                values.uniform_(0.5, 2.0)
            if values.shape == (64,) and name.split(".")[-2] in {"bn0", "batch_norm"}:
                values.fill_(-40.0 if name.endswith("running_mean") else 400.0)
    return network.eval()


def save_vggish(path: Path) -> dict[str, Any]:
    """As harritaylor/torchvggish release v0.1: a flat state dict, saved before torch's zip format."""
    import torch

    sizes = {0: (64, 1), 3: (128, 64), 6: (256, 128), 8: (256, 256), 11: (512, 256), 13: (512, 512)}
    generator = torch.Generator().manual_seed(0)
    shapes = {f"features.{place}": (*size, 3, 3) for place, size in sizes.items()}
    shapes |= {"embeddings.0": (4096, 12288), "embeddings.2": (4096, 4096), "embeddings.4": (128, 4096)}
    state = {}
    for name, shape in shapes.items():
        inputs = torch.tensor(shape[1:]).prod().item()
        state[f"{name}.weight"] = torch.randn(shape, generator=generator) * (2 / inputs) ** 0.5
        state[f"{name}.bias"] = torch.randn(shape[0], generator=generator) * 0.1
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, path, _use_new_zipfile_serialization=False)
    return state


def save_cnn14(path: Path) -> dict[str, Any]:
    """As Zenodo record 3987831: the state dict under `model`, the classifier in it."""
    import torch

    generator = torch.Generator().manual_seed(0)
    state: dict[str, Any] = {}

    def norm(name: str, width: int, mean: float, variance: float) -> None:
        state[f"{name}.weight"] = 1 + 0.1 * torch.randn(width, generator=generator)
        state[f"{name}.bias"] = 0.1 * torch.randn(width, generator=generator)
        state[f"{name}.running_mean"] = mean + 0.1 * torch.randn(width, generator=generator)
        state[f"{name}.running_var"] = variance * (0.5 + torch.rand(width, generator=generator))
        state[f"{name}.num_batches_tracked"] = torch.tensor(1)

    norm("bn0", 64, -40.0, 400.0)
    widths = (1, 64, 128, 256, 512, 1024, 2048)
    for place in range(6):
        for number, inputs in ((1, widths[place]), (2, widths[place + 1])):
            shape = (widths[place + 1], inputs, 3, 3)
            values = torch.randn(shape, generator=generator) * (2 / (9 * inputs)) ** 0.5
            state[f"conv_block{place + 1}.conv{number}.weight"] = values
            norm(f"conv_block{place + 1}.bn{number}", widths[place + 1], 0.0, 1.0)
    state["fc1.weight"] = torch.randn((2048, 2048), generator=generator) * (1 / 2048) ** 0.5
    state["fc1.bias"] = 0.1 * torch.randn(2048, generator=generator)
    state["fc_audioset.weight"] = torch.zeros(527, 2048)
    state["fc_audioset.bias"] = torch.zeros(527)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"iteration": 600_000, "model": state}, path, _use_new_zipfile_serialization=False)
    return state


def save_encodec(folder: Path, *, as_published: bool = True) -> None:
    """As facebook/encodec_24khz: config.json and model.safetensors, weight norms under the names of before torch 2.

    Not `as_published`: under the names that transformers gives them now. The LSTM is left with
    torch's own random weights, which keep its state in range.
    """
    import torch
    from safetensors.torch import load_file, save_file
    from transformers import EncodecConfig, EncodecModel

    torch.manual_seed(0)
    model = EncodecModel(EncodecConfig())
    with torch.no_grad():
        for name, values in model.encoder.named_parameters():
            if name.endswith("original1"):
                values.normal_(0, (2 / values[0].numel()) ** 0.5)
            elif name.endswith("original0"):  # the length of each channel's weights
                values.normal_(1.4, 0.2)
            elif name.endswith("conv.bias"):
                values.normal_(0, 0.1)
    model.save_pretrained(folder)
    if as_published:
        new, old = ".parametrizations.weight.original", (".weight_g", ".weight_v")
        state = load_file(folder / "model.safetensors")
        named = {name.replace(f"{new}0", old[0]).replace(f"{new}1", old[1]): value for name, value in state.items()}
        save_file(named, folder / "model.safetensors", metadata={"format": "pt"})


def save_clap(folder: Path, size: str = "small", *, safe: bool = True) -> None:
    """As laion/clap-htsat-unfused: config.json, weights, tokenizer.json.

    `size`: small; whole, as published; larger, with the published size of the larger CLAPs' audio tower.
    """
    import torch
    from transformers import ClapConfig, ClapModel

    audio, text = {"small": (SMALL_AUDIO, SMALL_TEXT), "whole": ({}, {}), "larger": (LARGER_AUDIO, SMALL_TEXT)}[size]
    model = scatter(ClapModel(ClapConfig(audio_config=audio, text_config=text)))
    if safe:
        model.save_pretrained(folder)
    else:
        model.config.save_pretrained(folder)
        torch.save(model.state_dict(), folder / "pytorch_model.bin")
    save_tokenizer(folder / "tokenizer.json")


def save_tokenizer(path: Path) -> None:
    """A byte-level BPE with RoBERTa's special tokens, in the hub's layout, learnt from the suite's captions."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    from innerear import suite

    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=2_000,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([probe.caption for probe in suite.edition("1").probes], trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    tokenizer.enable_padding(pad_id=1, pad_token="<pad>")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(json.loads(tokenizer.to_str())))
