"""A tiny Whisper with random weights, in the files that Systran/faster-whisper-tiny.en has, each with a record.

Its architecture is the true one, two layers a side; its vocabulary is the letters, a few words, and Whisper's own
special tokens. No torch is needed to make it.
"""

import json
from pathlib import Path

import numpy as np

from innerear.embed.weights import home, record

WIDTH, HEADS, LAYERS, INNER = 64, 4, 2, 128
WORDS = ["Ġrice", "Ġis", "Ġoften", "Ġserved", "Ġin", "Ġround", "Ġbowls", "Ġthe", "Ġjuice", "Ġof", "Ġfive", "Ġ5"]
SPECIAL = ["<|endoftext|>", "<|startoftranscript|>", "<|nocaptions|>", "<|notimestamps|>"]
TOKENS = ["!", ".", *"abcdefghijklmnopqrstuvwxyz", "Ġ", *WORDS, *SPECIAL]


def tokenizer_json(tokens: list[str]) -> str:
    """Of the byte-level kind, as GPT-2's is."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    tokenizer = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in tokens if token.startswith("<|")])
    return str(tokenizer.to_str())


def put(folder: Path, tokens: list[str]) -> None:
    """Write the tokenizer beside a converted network, and the records that the four files are held to."""
    (folder / "tokenizer.json").write_text(tokenizer_json(tokens))
    if (folder / "vocabulary.json").exists():
        (folder / "vocabulary.txt").write_text("\n".join(json.loads((folder / "vocabulary.json").read_text())) + "\n")
        (folder / "vocabulary.json").unlink()
    for name in ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt"):
        record(folder / name, "made by a test")


def save_whisper(tokens: list[str] = TOKENS, bands: int = 80, seed: int = 6, folder: Path | None = None) -> Path:
    """Where `innerear weights pull whisper-tiny.en` would put it."""
    from ctranslate2.specs import whisper_spec

    rng = np.random.default_rng(seed)

    def normal(*shape: int, scale: float | None = None) -> np.ndarray:
        return rng.normal(0, scale or (2 / np.prod(shape[1:])) ** 0.5, shape).astype(np.float32)

    def linear(spec, outputs: int, inputs: int) -> None:
        spec.weight, spec.bias = normal(outputs, inputs), normal(outputs, scale=0.1)

    def norm(spec) -> None:
        spec.gamma, spec.beta = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)

    spec = whisper_spec.WhisperSpec(LAYERS, HEADS, LAYERS, HEADS)
    spec.encoder.conv1.weight, spec.encoder.conv1.bias = normal(WIDTH, bands, 3), normal(WIDTH, scale=0.1)
    spec.encoder.conv2.weight, spec.encoder.conv2.bias = normal(WIDTH, WIDTH, 3), normal(WIDTH, scale=0.1)
    spec.encoder.position_encodings.encodings = normal(1500, WIDTH, scale=0.1)
    spec.decoder.position_encodings.encodings = normal(448, WIDTH, scale=1.0)
    spec.decoder.embeddings.weight = normal(len(tokens), WIDTH, scale=1.0)
    spec.decoder.projection.weight = normal(len(tokens), WIDTH, scale=1.0)  # not tied, or a token would repeat itself
    for side in (spec.encoder, spec.decoder):
        norm(side.layer_norm)
        for layer in side.layer:
            linear(layer.self_attention.linear[0], 3 * WIDTH, WIDTH)
            linear(layer.self_attention.linear[1], WIDTH, WIDTH)
            norm(layer.self_attention.layer_norm)
            if side is spec.decoder:
                for place, outputs in enumerate((WIDTH, 2 * WIDTH, WIDTH)):
                    linear(layer.attention.linear[place], outputs, WIDTH)
                layer.attention.linear[2].weight *= 10  # what is heard decides
                norm(layer.attention.layer_norm)
            linear(layer.ffn.linear_0, INNER, WIDTH)
            linear(layer.ffn.linear_1, WIDTH, INNER)
            norm(layer.ffn.layer_norm)
    spec.register_vocabulary(tokens)
    spec.config.suppress_ids, spec.config.suppress_ids_begin, spec.config.lang_ids = [], [], []
    spec.config.alignment_heads = [[1, 0]]
    spec.validate()
    folder = folder or home("whisper-tiny.en")
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))
    put(folder, tokens)
    return folder
